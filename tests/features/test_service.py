"""Which orders may still lead to a contact, and how many contacts a day brings."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, insert, read

AS_OF = date(2024, 6, 1)
CUTOFF = date(2024, 5, 4)


@pytest.fixture(scope="module")
def tickets(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Four orders of the fortnight before the cut-off: asked about before it, after it, not at all, and sent back."""
    with empty_shop() as con:
        add_order(con, "old", "anna", "2024-01-02", ("bread", 1, 5.0))
        for order in ("asked", "late", "quiet", "back"):
            add_order(con, order, "anna", "2024-04-30", ("bread", 1, 5.0))
        con.execute("update raw.order_lines set promised_delivery_date = date '2024-05-01'")
        con.execute(
            "update raw.order_lines set shipped_at = '2024-04-30 20:00', delivered_at = '2024-05-02'"
            " where order_id <> 'late'"
        )
        con.execute("update raw.order_lines set returned_at = '2024-05-06' where order_id = 'back'")
        insert(con, "service_tickets", ticket_id="t0", user_id="anna", order_id="old", channel="email",
               contact_reason="late", created_at="2024-02-01")  # fmt: skip
        insert(con, "service_tickets", ticket_id="t1", user_id="anna", order_id="asked", channel="email",
               contact_reason="late", created_at="2024-05-03")  # fmt: skip
        insert(con, "service_tickets", ticket_id="t2", user_id="anna", order_id="late", channel="email",
               contact_reason="late", created_at="2024-05-05")  # fmt: skip
        build_features(con, make_night(AS_OF))
        yield con


def test_open_orders(tickets: duckdb.DuckDBPyConnection) -> None:
    query = """
        select order_id, label_contacted, label_returned, ctx_age_days, ctx_is_delivered, ctx_days_late, ctx_contacts,
            ctx_contacts_84d
        from samples.service_orders where fold = 'test' order by order_id
    """
    assert read(tickets, query) == [
        ("back", 0, 1, 4, True, 1, 2, 1),
        ("late", 1, 0, 4, False, 3, 2, 1),
        ("quiet", 0, 0, 4, True, 1, 2, 1),
    ]


def test_days_ahead(tickets: duckdb.DuckDBPyConnection) -> None:
    query = """
        select forecast_date, label_contacts, base_contacts, base_contacts_28d, ctx_days_ahead, ctx_overdue_now
        from samples.service_days where fold = 'test' order by forecast_date
    """
    days = read(tickets, query)
    assert len(days) == 28
    # One of four orders in 28 days was overdue, and a third of those who asked waited for one, less what is certain.
    # 5 May was the day of the one contact ahead; the Friday before the cut-off had one in eight weeks.
    now = 1 / 4 / (4 / 28 + 1)
    assert days[1] == (date(2024, 5, 5), 1, 0.0, pytest.approx(1 / 28), 1, pytest.approx(now * math.exp(-1 / 4)))
    assert days[6] == (date(2024, 5, 10), 0, 0.125, pytest.approx(1 / 28), 6, pytest.approx(now * math.exp(-6 / 4)))


def test_tickets_are_looked_at_when_opened_and_while_open(
    con: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    """Two hours to answer, two days to solve: one ticket in time, one answered late, one still open tonight. Moments
    are UTC, mornings those of Berlin, two hours ahead."""
    for week in range(20):
        add_order(con, f"o{week}", "anna", str(AS_OF - timedelta(days=7 * week + 1)), ("bread", 1, 5.0))
    insert(con, "service_policies", rule_id="r", scope="all", valid_from="2024-01-01", answer_within_minutes=120)
    for ticket, created, replied, solved, minutes in (
        ("early", "2024-01-20 10:00", "2024-01-20 11:00", "2024-01-20 12:00", 30.0),
        ("quick", "2024-05-10 10:00", "2024-05-10 11:00", "2024-05-10 12:00", 10.0),
        ("slow", "2024-05-10 16:00", "2024-05-11 09:00", "2024-05-12 12:00", 20.0),
        ("open", "2024-05-31 21:00", None, None, None),
    ):
        insert(con, "service_tickets", ticket_id=ticket, user_id="anna", channel="email", contact_reason="late",
               priority="high", created_at=created, first_replied_at=replied, solved_at=solved,
               handle_minutes=minutes)  # fmt: skip
    build_features(con, make_night(AS_OF, time_zone="Europe/Berlin"))
    query = """
        select ticket_id, fold, ctx_age_hours, ctx_is_replied, is_missed_by_now, label_handle_minutes, label_missed,
            label_priority, base_handle_minutes
        from samples.service_tickets where ticket_id <> 'early' order by seen_at
    """
    assert read(con, query) == [
        ("quick", "test", 0.0, False, False, 10.0, 0, 2, 30.0),
        ("slow", "test", 0.0, False, False, 20.0, 1, 2, 30.0),
        ("slow", "test", 6.0, False, True, 20.0, 1, 2, pytest.approx((40 + 5 * 20) / 7)),
        ("slow", "test", 30.0, True, True, 20.0, 1, 2, pytest.approx((40 + 5 * 20) / 7)),
        ("open", "test", 0.0, False, False, None, None, 2, pytest.approx((60 + 5 * 20) / 8)),
        ("open", "serve", 1.0, False, False, None, None, None, pytest.approx((60 + 5 * 20) / 8)),
    ]


def test_service_learns_every_week(tickets: duckdb.DuckDBPyConnection) -> None:
    """From four weeks after the first contact until the labels end where validation begins, the entities of the last
    cut-off before each origin are seen."""
    origins = read(tickets, "select origin_date, cutoff_date, fold from features.service_origins order by origin_date")
    validation = AS_OF - timedelta(days=56)
    weekly = [origin for origin, _, fold in origins if fold == "train"]
    assert weekly == [date(2024, 3, 2), date(2024, 3, 9)] and weekly[-1] + timedelta(days=28) == validation
    assert origins[-3:] == [(validation, validation, "validation"), (CUTOFF, CUTOFF, "test"), (AS_OF, AS_OF, "serve")]


def test_what_was_heard_of_products_and_users(tickets: duckdb.DuckDBPyConnection) -> None:
    """Five lines and two contacts by the cut-off; nothing had come back yet."""
    query = """
        select distinct ctx_product_contact_ratio, ctx_product_return_ratio, ctx_user_contact_ratio
        from samples.service_orders where fold = 'test'
    """
    assert read(tickets, query) == [(pytest.approx(2 / 5), 0.0, pytest.approx(2 / 5))]


def test_contacts_of_a_user(tickets: duckdb.DuckDBPyConnection) -> None:
    assert read(tickets, "select label_contacts_28d from samples.profile where fold = 'test'") == [(1,)]


def test_quality_is_learned_from_ratings_to_come(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """Bread was rated 2 and 4 before the cut-off and 5 after it; the shop's mean of 3 counts five times more."""
    for week in range(30):
        add_order(con, f"o{week}", "anna", str(AS_OF - timedelta(days=7 * week + 1)), ("bread", 1, 5.0))
    for number, (day, stars) in enumerate((("2024-04-01", 2), ("2024-04-05", 4), ("2024-05-06", 5))):
        insert(con, "behaviour_events", event_id=f"r{number}", event_type="review", event_at=day, user_id="anna",
               product_id="bread", rating=stars)  # fmt: skip
    build_features(con, make_night(AS_OF))
    query = "select label_rating, base_rating, sample_weight from samples.product_quality where fold = $1"
    assert read(con, query, "test") == [(5.0, 3.0, 1.0)]
    assert read(con, query, "serve") == [(None, pytest.approx(11 / 3), 1.0)]


def test_without_reviews_there_is_no_quality(tickets: duckdb.DuckDBPyConnection) -> None:
    assert read(tickets, "select count(*) from samples.product_quality") == [(0,)]
