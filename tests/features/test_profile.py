"""What a user is known by, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import numpy as np
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, add_product, read

AS_OF = date(2024, 6, 1)
TEST_CUTOFF = date(2024, 5, 4)


@pytest.fixture(scope="module")
def two_users(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Anna bought on three days before the test cut-off of 4 May and once after it, Bert once before it."""
    with empty_shop() as con:
        add_product(con, "wine", category="DRINKS")
        add_product(con, "fuel", category="FUEL", is_recommendable=False)
        add_order(con, "a1", "anna", "2024-01-10 09:00", ("bread", 2, 5.0))
        add_order(con, "a2", "anna", "2024-04-01 09:00", ("bread", 1, 5.0), ("wine", 1, 15.0), site_id="s2")
        add_order(con, "a3", "anna", "2024-04-01 18:00", ("fuel", 1, 10.0), site_id="s2")
        add_order(con, "a4", "anna", "2024-05-01 09:00", ("bread", 4, 5.0), site_id="s2")
        add_order(con, "a5", "anna", "2024-05-12 09:00", ("bread", 1, 6.0), ("wine", 1, 18.0))
        add_order(con, "b1", "bert", "2024-02-05 09:00", ("bread", 1, 5.0))
        con.execute("update raw.order_lines set discount = 5 where order_line_id in ('a2-wine', 'a5-wine')")
        build_features(con, make_night(AS_OF))
        yield con


def test_habits(two_users: duckdb.DuckDBPyConnection) -> None:
    query = """
        select recency_days, tenure_days, order_days, orders, spend, spend_28d, spend_84d, order_days_84d, lines_84d,
            gap_mean_days, gap_last3_days, gap_sd_days, spend_last, spend_max, products, new_products_28d,
            subcategories, home_site_id, discount_share, wednesday_share
        from features.users where user_id = 'anna' and cutoff_date = $1
    """
    ((*known,),) = read(two_users, query, TEST_CUTOFF)
    assert known == [
        3, 115, 3, 4, 60.0, 20.0, 50.0, 2, 4,
        56.0, 56.0, 26.0, 20.0, 30.0, 3, 0, 3,
        "s2", pytest.approx(5 / 65), pytest.approx(2 / 3),
    ]  # fmt: skip


def test_a_user_seen_once_has_no_gaps(two_users: duckdb.DuckDBPyConnection) -> None:
    query = "select gap_mean_days, gap_sd_days, recency_over_gap from features.users where user_id = 'bert'"
    assert set(read(two_users, query)) == {(None, None, None)}


def test_before_habits_are_known_orders_are_expected_at_the_usual_rate(
    empty_shop: EmptyShop, make_night: MakeNight
) -> None:
    """A training cut-off 52 days after the first order, eight weeks before which nothing is learned of presence."""
    with empty_shop() as con:
        for day in ("2024-01-10", "2024-02-20", "2024-04-01", "2024-05-10"):
            add_order(con, f"a-{day}", "anna", f"{day} 09:00", ("bread", 1, 5.0))
        build_features(con, make_night(date(2024, 5, 25)))
        assert read(
            con,
            """select presence_order_probability_28d is null, base_presence_buys_28d = base_buys_28d,
                base_presence_buys_7d = base_buys_7d
            from samples.profile join features.users using (user_id, cutoff_date)
            where cutoff_date = date '2024-03-02'""",
        ) == [(True, True, True)]
        assert read(con, "select count(*) from samples.profile where base_presence_buys_28d is null") == [(0,)]


def test_labels_and_baselines(two_users: duckdb.DuckDBPyConnection) -> None:
    query = """
        select label_spend_28d, label_buys_28d, label_buys_7d, label_churns_90d, label_discount_share_28d,
            label_contacts_28d, base_spend_28d, base_spend_last_28d, base_buys_28d, base_buys_7d
        from samples.profile where user_id = $1 and fold = 'test'
    """
    assert read(two_users, query, "anna") == [
        (24.0, 1, 0, None, pytest.approx(5 / 29), None, pytest.approx(50 / 3), 20.0,
         pytest.approx(1 - np.exp(-2 / 3)), pytest.approx(1 - np.exp(-1 / 6)))
    ]  # fmt: skip
    assert read(two_users, query, "bert") == [
        (0.0, 0, 0, None, None, None, 0.0, 0.0, 0.0, 0.0)
    ]  # fmt: skip


def test_interests(two_users: duckdb.DuckDBPyConnection) -> None:
    assert read(two_users, "from features.categories order by category_index") == [
        ("DRINKS", 0), ("FOOD", 1), ("FUEL", 2), ("OTHER", 3),
    ]  # fmt: skip
    ((label, base, smoothed),) = read(
        two_users,
        "select label_category_shares, base_category_shares, base_category_shares_smoothed"
        " from samples.profile where user_id = 'anna' and fold = 'test'",
    )
    assert label == pytest.approx([18 / 24, 6 / 24, 0, 0])
    assert base == pytest.approx([15 / 60, 35 / 60, 10 / 60, 0], abs=1e-4)
    # Everyone spent 40 of 65 on food and 20 in the last month (10 a user); Anna's own month was all bread.
    usual = np.array([15, 40, 10, 0]) / 65
    assert smoothed == pytest.approx((np.array([15, 35 + 20, 10, 0]) + 10 * usual) / 90)
    bought_nothing = "select label_category_shares from samples.profile where user_id = 'bert' and fold = 'test'"
    assert read(two_users, bought_nothing) == [(None,)]


def test_a_day_is_a_day_in_the_business_time_zone(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """At 03:00 UTC on 1 June it is still 31 May in New York."""
    add_order(con, "o1", "u1", "2024-06-01 03:00", ("bread", 1, 5.0))
    add_order(con, "o2", "u2", "2024-06-01 05:00", ("bread", 1, 5.0))
    build_features(con, make_night(AS_OF, time_zone="America/New_York"))
    assert read(con, "select user_id, recency_days from features.users") == [("u1", 1)]


def test_cancelled_orders_and_erased_users_are_gone(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """Ingest gives the orders of erased users an id that is in no users row; a user may ask in between, too."""
    for moment in ("2024-04-29", "2024-05-31"):
        add_order(con, f"asked-{moment}", "asked", moment, ("bread", 1, 5.0))
        add_order(con, f"gone-{moment}", "erased", moment, ("bread", 2, 5.0), ("hat", 1, 9.0))
        add_order(con, f"kept-{moment}", "kept", moment, ("bread", 4, 5.0))
    add_order(con, "cancelled", "kept", "2024-05-31", ("bread", 8, 7.0), status="cancelled")
    con.execute("update raw.users set erased_at = '2024-07-01' where user_id = 'asked'")
    con.execute("delete from raw.users where user_id = 'erased'")
    build_features(con, make_night(AS_OF))
    assert read(con, "select user_id, spend from features.users") == [("kept", 40.0)]
    # What they bought was demand all the same.
    last_week = "select product_id, base_level * week_1 from features.demand_history order by all"
    assert read(con, last_week) == [("bread", pytest.approx(1 + 2 + 4)), ("hat", pytest.approx(1))]
    tables = read(
        con,
        "select schema_name || '.' || table_name from duckdb_columns()"
        " where column_name = 'user_id' and schema_name in ('staging', 'features', 'samples')",
    )
    assert len(tables) > 6
    for (table,) in tables:
        assert read(con, f"select count(*) from {table} where user_id in ('asked', 'erased')") == [(0,)], table
