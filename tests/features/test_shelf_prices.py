"""Prices as the shelf showed them: what was paid says too little, for cheap days sell more."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, insert, read

FIRST = date(2024, 1, 1)
AS_OF = FIRST + timedelta(weeks=20)
CUTOFF = AS_OF - timedelta(days=28)  # after week 16


def day(week: int, weekday: int = 0) -> date:
    return FIRST + timedelta(days=7 * (week - 1) + weekday)


def price(con: duckdb.DuckDBPyConnection, start: date, end: date | None, price: float, list_price: float) -> None:
    insert(
        con,
        "price_changes",
        valid_from=start,
        product_id="bread",
        valid_to=end,
        price=price,
        list_price=list_price,
    )


@pytest.fixture(scope="module")
def shop(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Bread costs 5. It is sold at 4 on the last two days of week 18 and, by an offer of 20%, on the last two of week
    17 and the first five of week 19; nobody buys any in week 19. From the last day of week 20 on it costs 6."""
    with empty_shop() as con:
        for week in range(1, 21):
            if week == 19:
                continue
            add_order(con, f"o{week}-0", "u1", str(day(week)), ("bread", 1, 5.0))
            add_order(con, f"o{week}-1", "u2", str(day(week, 5)), ("bread", 9, 4.0 if week in (17, 18) else 5.0))
        con.execute("update raw.order_lines set list_price = 5, line_total = quantity * sold_price")
        price(con, FIRST, None, 5, 5)
        price(con, day(17, 5), day(18), 4, 5)
        price(con, day(18), day(18, 5), 5, 5)
        price(con, day(18, 5), day(19, 5), 4, 5)
        price(con, day(19, 5), day(20, 6), 5, 5)
        price(con, day(20, 6), None, 6, 6)
        for name, start, end in (("a", day(17, 5), day(18)), ("b", day(19), day(19, 5))):
            insert(
                con,
                "promotions",
                promotion_id=name,
                announced_at=day(2),
                starts_at=start,
                ends_at=end,
                channel="web",
                discount_type="percent",
                discount_value=20,
            )
            insert(con, "promotion_products", promotion_id=name, product_id="bread", site_ids=None)
        build_features(con, make_night(AS_OF, minimum_history_days=56))
        yield con


def ahead(con: duckdb.DuckDBPyConnection, column: str, week: int, fold: str = "test") -> object:
    query = f"select {column} from samples.demand where fold = '{fold}' and calendar_date = '{day(week)}'"
    return read(con, query)[0][0]


def test_the_price_of_a_week_is_its_mean_over_time_not_over_what_was_sold(shop: duckdb.DuckDBPyConnection) -> None:
    for week, cheap_days in {17: 2, 18: 2, 19: 5}.items():
        assert ahead(shop, "price", week) == pytest.approx(5 * 0.8 ** (cheap_days / 7), rel=1e-5), week


def test_a_price_is_seen_where_nothing_was_sold(shop: duckdb.DuckDBPyConnection) -> None:
    assert ahead(shop, "is_price_seen", 19) is True and ahead(shop, "label_units", 19) == 0


def test_an_offer_counts_by_its_days_and_names_the_price_of_most_of_them(shop: duckdb.DuckDBPyConnection) -> None:
    weeks = (17, 18, 19)
    assert [ahead(shop, "price_assumed", week) for week in weeks] == [5, 5, 4]
    mean = [ahead(shop, "mean_price_assumed", week) for week in weeks]
    assert mean == pytest.approx([5 * 0.8 ** (2 / 7), 5, 5 * 0.8 ** (5 / 7)], rel=1e-4)


def spells(con: duckdb.DuckDBPyConnection, week: int) -> list[tuple[object, ...]]:
    """(price over the highest one, units, exposure) of a week's spells, cheapest first."""
    return read(
        con,
        f"""
        select round(exp(log_price_ratio - max(log_price_ratio) over ()), 3), units, round(exposure, 2)
        from features.price_spells where week_start = '{day(week)}' order by 1
        """,
    )


def test_a_week_with_two_prices_is_evidence_in_two_parts(shop: duckdb.DuckDBPyConnection) -> None:
    """A usual day of trade saw one line: an exposure of 1."""
    assert spells(shop, 18) == [(0.8, 9, 1), (1, 1, 1)]
    assert spells(shop, 16) == [(1, 10, 2)]
    assert spells(shop, 19) == [], "a day on which nobody bought anything has no traffic"


def test_an_empty_shelf_is_no_evidence(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """Mondays have two lines and Tuesdays one. In week 16 bread is gone on Monday and half of Tuesday: of the week's
    traffic a third, and of that half, could have bought it."""
    for week in range(1, 21):
        for weekday in (0, 1):
            add_order(con, f"o{week}-{weekday}", "u1", str(day(week, weekday)), ("milk", 1, 1.0))
        add_order(con, f"b{week}", "u2", str(day(week)), ("bread", 2, 4.0 if week == 18 else 5.0))
    con.execute("update raw.order_lines set line_total = quantity * sold_price")
    for hours, snapshot in ((24, day(16)), (12, day(16, 1))):
        insert(con, "inventory_snapshots", snapshot_date=snapshot, site_id="s1", product_id="bread",
               on_hand_units=0, out_of_stock_hours=hours)  # fmt: skip
    build_features(con, make_night(AS_OF, minimum_history_days=56))
    query = "select week_start, exposure from features.price_spells where product_id = 'bread' order by 1"
    exposures = dict(read(con, query))
    assert exposures[day(16)] == pytest.approx(exposures[day(15)] / 6, rel=1e-5)


def test_tonight_assumes_the_price_that_stands(shop: duckdb.DuckDBPyConnection) -> None:
    assert ahead(shop, "price_assumed", 21, "serve") == 6
    assert ahead(shop, "price_assumed", 20) == 5


def test_without_price_changes_the_price_is_what_was_paid(
    con: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    for week in range(1, 21):
        add_order(con, f"o{week}", "u1", str(day(week)), ("bread", 2, 4.0 if week == 18 else 5.0))
    con.execute("update raw.order_lines set list_price = 5, line_total = quantity * sold_price")
    build_features(con, make_night(AS_OF, minimum_history_days=56))
    assert ahead(con, "price", 18) == 4 and ahead(con, "price", 17) == 5
    assert ahead(con, "mean_price_assumed", 17) == ahead(con, "price_assumed", 17)
