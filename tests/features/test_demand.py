"""What the demand curve learns from: weeks of sales, prices and planned promotions."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from tasks.build_features import build_features
from tasks.night import Night
from tests.features.rows import EmptyShop, MakeNight, add_order, insert, read

FIRST = date(2024, 1, 1)
AS_OF = FIRST + timedelta(weeks=20)
CUTOFF = AS_OF - timedelta(days=28)  # after week 16


def sell_bread(con: duckdb.DuckDBPyConnection) -> None:
    """In week k of 20, bread sells k units; from week 15 on at 4 instead of 5, but in week 18 not at all. A mailer runs
    in weeks 15 and 17 at all sites, a display in week 17 at the site with three quarters of the sales."""
    for week in range(1, 21):
        day = FIRST + timedelta(days=7 * (week - 1))
        price = 4.0 if week >= 15 else 5.0
        for part in range(4):
            site = "small" if part == 3 else "big"
            quantity = 0 if week == 18 else week / 4
            add_order(con, f"o{week}-{part}", f"u{part}", str(day), ("bread", quantity, price), site_id=site)
    con.execute("update raw.order_lines set list_price = 5, line_total = quantity * sold_price")
    for promotion, channel, week, sites in (
        ("m15", "mailer", 15, None),
        ("m17", "mailer", 17, []),
        ("d17", "display", 17, ["big", "elsewhere"]),
    ):
        start = FIRST + timedelta(days=7 * (week - 1))
        insert(
            con,
            "promotions",
            promotion_id=promotion,
            announced_at=start - timedelta(days=28),
            starts_at=start,
            ends_at=start + timedelta(days=7),
            channel=channel,
            placement="front",
        )
        insert(con, "promotion_products", promotion_id=promotion, product_id="bread", site_ids=sites)


@pytest.fixture(scope="module")
def night(make_night: MakeNight) -> Night:
    return make_night(AS_OF, minimum_history_days=56)


@pytest.fixture(scope="module")
def one_product(empty_shop: EmptyShop, night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_shop() as con:
        sell_bread(con)
        build_features(con, night)
        yield con


def test_weeks_ahead(one_product: duckdb.DuckDBPyConnection) -> None:
    query = """
        select horizon, calendar_date, label_units, price, is_price_seen, list_price, ctx_mailer, ctx_display
        from samples.demand where fold = 'test' order by horizon
    """
    week = [CUTOFF + timedelta(days=7 * number) for number in range(4)]
    assert read(one_product, query) == [
        (1, week[0], 17.0, 4.0, True, 5.0, 1.0, 0.75),
        (2, week[1], 0.0, 4.0, False, 5.0, 0.0, 0.0),
        (3, week[2], 19.0, 4.0, True, 5.0, 0.0, 0.0),
        (4, week[3], 20.0, 4.0, True, 5.0, 0.0, 0.0),
    ]


def test_baselines(one_product: duckdb.DuckDBPyConnection) -> None:
    query = """
        select distinct base_units, base_units_13w_p10, base_units_13w_p50, base_units_13w_p90, base_level,
            reference_price, is_priced, is_supply_test, is_price_test
        from samples.demand where fold = 'test'
    """
    # Weeks 13 to 16; the quantiles of weeks 4 to 16; half the means of 8 and of 13 weeks, and a little.
    ((*known,),) = read(one_product, query)
    assert known[:5] == pytest.approx([14.5, 5.2, 10, 14.8, 0.5 * 12.5 + 0.5 * 10 + 0.3])
    assert known[5:] == [pytest.approx((6 * 5 + 2 * 4) / 8), True, True, True]


def test_history(one_product: duckdb.DuckDBPyConnection) -> None:
    query = """
        select base_level, base_level * week_1, base_level * week_8, base_level * mean_4w, base_level * mean_26w,
            base_level * max_8w, zero_share_13w, weeks_since_sale, weeks_live, shop_trend_ratio
        from features.demand_history where cutoff_date = $1
    """
    ((*known,),) = read(one_product, query, CUTOFF)
    assert known == pytest.approx([11.55, 16, 9, 14.5, 8.5, 16, 0, 0, 16, 16 / 14.5])
    ((zero_share, since),) = read(
        one_product,
        "select zero_share_13w, weeks_since_sale from features.demand_history where cutoff_date = $1",
        AS_OF,
    )
    assert (zero_share, since) == (pytest.approx(1 / 13), 0)


def test_promotions_before_and_ahead(one_product: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ctx_mailer, ctx_mailer_over_8w, ctx_mailer_last_week
        from samples.demand where fold = 'test' and horizon = 1
    """
    # Of the eight weeks before, one had the mailer; the last had none.
    assert read(one_product, query) == [(1.0, 1 - 1 / 8, 0.0)]


def test_the_assumed_price_follows_the_plan(one_product: duckdb.DuckDBPyConnection) -> None:
    prices = read(
        one_product,
        "select horizon, price_assumed from samples.demand where fold = 'test' and horizon < 3 order by all",
    )
    # Once in the mailer, at 80%; fifteen weeks without, one of them at 80%. Two weeks of the same are the prior.
    assert prices == [(1, pytest.approx(5 * 0.8)), (2, pytest.approx(5 * 14.8 / 15, abs=1e-4))]


def test_an_offer_sets_the_assumed_price(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    sell_bread(con)
    con.execute("update raw.promotions set discount_type = 'percent', discount_value = 30 where promotion_id = 'm17'")
    build_features(con, night)
    assert read(con, "select price_assumed from samples.demand where fold = 'test' and horizon = 1") == [(3.5,)]


def test_a_product_sold_by_weight_has_no_price(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Its regular price differs within a site and week, again and again."""
    sell_bread(con)
    con.execute("update raw.order_lines set list_price = 5 + cast(right(order_id, 1) as integer)")
    build_features(con, night)
    assert read(con, "select distinct is_priced, is_price_test, is_supply_test from samples.demand") == [
        (False, False, True)
    ]


def test_tonight_everything_sold_lately_is_forecast(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    for week in range(20):
        day = str(FIRST + timedelta(days=7 * week + 1))
        add_order(con, f"o{week}", "u1", day, ("bread", 1, 5.0), *([("milk", 1, 2.0)] if week in (3, 17) else []))
    add_order(con, "o-early", "u1", "2024-01-03", ("hat", 1, 9.0))
    build_features(con, make_night(AS_OF, minimum_history_days=56, demand_products=1))
    assert read(
        con, "select distinct product_id, is_supply_test from samples.demand where fold = 'serve' order by all"
    ) == [
        ("bread", True),
        ("milk", False),
    ]
    assert read(con, "select distinct product_id from samples.demand where fold <> 'serve'") == [("bread",)]


@pytest.fixture
def scarce(con: duckdb.DuckDBPyConnection) -> duckdb.DuckDBPyConnection:
    """Bread sells 8 a week at each of two sites of one size, beside hats at both. It lacks at one site for half of
    week 14, at both for all of week 15 (and sells nothing then), and at one for half of week 18."""
    for week in range(1, 21):
        sold = {14: (8, 4), 15: (0, 0), 18: (8, 4)}.get(week, (8, 8))
        for site, units in zip(("big", "small"), sold, strict=True):
            day = FIRST + timedelta(days=7 * (week - 1))
            lines = [("hat", 1, 9.0), *([("bread", units, 5.0)] if units else [("cap", 1, 2.0)])]
            add_order(con, f"o{week}-{site}", "u1", str(day), *lines, site_id=site)
    for week, hours, sites in ((14, 12, ["small"]), (15, 24, ["big", "small"]), (18, 12, ["small"])):
        con.execute(
            """insert into raw.inventory_snapshots by name
            select cast($1 as date) + cast(day as integer) as snapshot_date, site_id, 'bread' as product_id,
                0 as available_units, $2 as out_of_stock_hours
            from range(7) as days (day), (select unnest($3) as site_id)""",
            [FIRST + timedelta(days=7 * (week - 1)), hours, sites],
        )
    return con


def test_sales_at_an_empty_shelf_are_censored_demand(scarce: duckdb.DuckDBPyConnection, night: Night) -> None:
    build_features(scarce, night)
    labels = read(
        scarce,
        """select horizon, label_units, label_available_ratio from samples.demand
        where product_id = 'bread' and fold = 'test' order by horizon""",
    )
    assert labels == [(1, 16.0, 1.0), (2, 12.0, 0.75), (3, 16.0, 1.0), (4, 16.0, 1.0)]
    ((*known,),) = read(
        scarce,
        """select distinct base_units, base_units_13w_p10, base_level, base_units_sold from samples.demand
        where product_id = 'bread' and fold = 'test'""",
    )
    # 12 units in three quarters of week 14 stand for 16; week 15 says nothing, the demand before it still stands.
    assert known == pytest.approx([16, 16, 16.3, (16 + 12 + 0 + 16) / 4])


def test_without_snapshots_sales_are_demand(scarce: duckdb.DuckDBPyConnection, night: Night) -> None:
    scarce.execute("delete from raw.inventory_snapshots")
    build_features(scarce, night)
    assert read(scarce, "select distinct label_available_ratio from samples.demand where fold = 'test'") == [(1.0,)]
    query = (
        "select distinct base_units, base_units_sold from samples.demand where product_id = 'bread' and fold = 'test'"
    )
    assert read(scarce, query) == [(11.0, 11.0)]
