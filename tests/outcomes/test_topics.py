"""Each head's outcomes on rows that can be counted by hand."""

from __future__ import annotations

from datetime import date, timedelta
from math import log2
from typing import Any

import duckdb
import pytest

from tasks.outcomes.score import score_nights
from tests.features.rows import AS_OF
from tests.outcomes.conftest import EARLIER, night_of, release

Connection = duckdb.DuckDBPyConnection
END = EARLIER + timedelta(days=28)


def keep(con: Connection, table: str, rows: str, **values: Any) -> None:
    """Kept rows of the night `earlier`; `rows` is a select list with its from clause."""
    con.execute(
        f"""insert into kept.{table} by name
        select 'earlier' as run_id, $day as as_of_date, false as is_fallback, rows.* from (select {rows}) as rows""",
        {"day": EARLIER} | values,
    )


def score(con: Connection, day: date = EARLIER) -> dict[tuple[str, str], dict[str, Any]]:
    release(con, "earlier", day)
    score_nights(con, night_of())
    return {(row["task"], row["metric"]): row for row in con.sql("from ops.outcomes").pl().to_dicts()}


def bought(con: Connection, user: str) -> tuple[list[str], set[str], float]:
    """What the user bought in the window, what was new of that, and the money, told by the feeds."""
    rows = con.execute(
        """select product_id, min(ordered_at) >= $2 as is_new, sum(quantity * sold_price) filter (ordered_at >= $2)
        from raw.orders join raw.order_lines using (order_id)
        where user_id = $1 and ordered_at < $3 and product_id <> 'p11'
        group by product_id having max(ordered_at) >= $2 order by product_id""",
        [user, EARLIER, END],
    ).fetchall()
    return [row[0] for row in rows], {row[0] for row in rows if row[1]}, float(sum(row[2] for row in rows))


def test_lists_hit_what_was_bought_and_earn_its_money(shop: Connection) -> None:
    products, _, money = bought(shop, "u1")
    assert len(products) >= 3
    # Everything that u1 bought but the last, behind a product that u1 never buys; the best seller is none of them.
    shown = ["p-none", *products[:-1]]
    keep(
        shop,
        "product_recommendations",
        """'for_you' as placement, 'u1' as user_id, generate_subscripts($shown, 1) as rank,
        unnest($shown) as product_id, 0.5 as purchase_probability, 0.1 as expected_margin""",
        shown=shown,
    )
    keep(shop, "popular_products", "1 as rank, 'p-none' as product_id")
    keep(shop, "popular_products", "2 as rank, $first as product_id", first=products[0])
    found = score(shop)
    n = len(products)
    ideal = sum(1 / log2(position + 1) for position in range(1, n + 1))
    assert found["all", "recall_20"]["value"] == pytest.approx((n - 1) / n)
    assert found["all", "recall_20"]["baseline_value"] == pytest.approx(1 / n)
    gain = sum(1 / log2(position + 1) for position in range(2, n + 1))
    assert found["all", "ndcg_20"]["value"] == pytest.approx(gain / ideal)
    assert found["all", "ndcg_20"]["baseline_value"] == pytest.approx(1 / log2(3) / ideal)
    purchases = found["all", "purchases"]
    assert (purchases["value"], purchases["promised_value"]) == (n - 1, 0.5 * n)
    last = shop.execute(
        """select sum(quantity * sold_price) from raw.orders join raw.order_lines using (order_id)
        where user_id = 'u1' and product_id = $1 and ordered_at >= $2 and ordered_at < $3""",
        [products[-1], EARLIER, END],
    ).fetchall()[0][0]
    assert found["all", "revenue"]["value"] == pytest.approx(money - float(last))


def test_weeks_are_scored_at_the_price_that_was_charged(shop: Connection) -> None:
    # p1 at half the price assumed, elasticity -1: twice the units are promised for it.
    weeks = shop.execute(
        """select ($1 + 7 * week::integer)::date as forecast_date, coalesce(sum(quantity), 0)::double as units,
            (sum(quantity * sold_price) / sum(quantity))::double as price
        from range(4) as weeks (week)
        left join (select * from raw.orders join raw.order_lines using (order_id) where product_id = 'p1') as lines
            on ordered_at >= $1 + 7 * week::integer and ordered_at < $1 + 7 * week::integer + 7
        group by week order by week""",
        [EARLIER],
    ).fetchall()
    assert all(units > 0 for _, units, _ in weeks)
    shop.execute("create or replace temp table stockouts_then as from stockout_days; delete from stockout_days")
    for day, units, price in weeks:
        keep(
            shop,
            "demand_forecasts",
            """'p1' as product_id, 'all' as site_id, $forecast::date as forecast_date, $units / 2 as demand_units_mean,
            $units as demand_units_p10, $units as demand_units_p50, $units as demand_units_p90,
            $units as demand_units_p95, 2 * $price as price_assumed, $units + 1 as base_units,
            0.0 as base_units_13w_p10, 0.0 as base_units_13w_p50, 0.0 as base_units_13w_p90,
            0.0 as base_units_13w_p95""",
            forecast=day,
            units=units,
            price=price,
        )
    keep(shop, "price_recommendations", "'p1' as product_id, -1.0 as elasticity_p50, 'hold' as review_status")
    found = score(shop)
    shop.execute("insert into stockout_days from stockouts_then")
    assert found["price_response", "wape_seen"]["value"] == pytest.approx(0, abs=1e-6)
    total = sum(units for _, units, _ in weeks)
    assert found["price_response", "wape_seen"]["baseline_value"] == pytest.approx(4 / total)
    assert found["demand", "wql_mean"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["demand", "coverage_p50"]["value"] == 1
    assert found["demand", "bias_percent"]["value"] == pytest.approx(-50)
    assert found["demand", "wql_mean"]["is_mature"] and found["demand", "wql_mean"]["sample_count"] == 4


def test_stock_that_ran_out_was_warned_of(shop: Connection) -> None:
    # In this shop an item is out for five days in 35, by its numbers.
    for product, is_warned in (("p1", True), ("p2", False), ("p3", True), ("p4", False), ("p5", True), ("p6", False)):
        keep(
            shop,
            "replenishment_recommendations",
            """$product as product_id, 's0' as site_id, 10.0 as lead_time_days_p50, 5.0 as order_up_to_units,
            if($warned, 0.9, 0.1) as stockout_probability, if($warned, 'stockout_risk', 'none') as exception_type""",
            product=product,
            warned=is_warned,
        )
    day = (EARLIER - AS_OF.replace(month=1, day=1)).days
    out = {p: {(d // 5 + p) % 7 == 0 for d in range(day, day + 10)} for p in range(1, 7)}
    there = {p: (((day - 1) // 5 + p) % 7) != 0 for p in range(1, 7)}
    ran_out = {p for p in out if True in out[p] and there[p]}
    present = {p for p in there if there[p]}
    warned = {1, 3, 5} & present
    found = score(shop)
    assert found["stockout", "rate"]["value"] == pytest.approx(len(ran_out) / len(present))
    assert found["stockout", "warned"]["value"] == pytest.approx(len(ran_out & warned) / len(ran_out))
    assert found["stockout", "true_warnings"]["value"] == pytest.approx(len(ran_out & warned) / len(warned))
    assert found["stock", "excess_cost"]["value"] == 0


def test_offers_of_campaigns_that_ended_of_users_who_got_them(shop: Connection) -> None:
    # It began a day before the night, and those who redeem do so on its sixth day.
    campaign, end, day = shop.execute(
        """select campaign_id, ends_at::date, starts_at::date + 1 from raw.campaigns
        where ends_at < $1 order by ends_at desc""",
        [AS_OF],
    ).fetchall()[0]
    redeemers = "select user_id from raw.redemptions where campaign_id = $campaign"
    keep(
        shop,
        "promotion_recommendations",
        f"""user_id, $campaign as promotion_id, if(user_id in ({redeemers}), 0.9, 0.1) as redemption_probability,
        0.3 as base_redeemed from raw.users""",
        campaign=campaign,
        day=day,
    )
    found = score(shop, day)
    targets, redeemed = shop.execute(
        """select count(*), count(redemption_id) from raw.campaign_targets
        left join raw.redemptions using (campaign_id, user_id) where campaign_id = $1""",
        [campaign],
    ).fetchall()[0]
    auc, rate = found["redemption", "auc"], found["redemption", "rate"]
    assert (auc["value"], auc["baseline_value"], auc["window_end"]) == (1, 0.5, end)
    assert (rate["sample_count"], rate["value"]) == (targets, pytest.approx(redeemed / targets))


def test_orders_that_led_to_contacts_and_returns(shop: Connection) -> None:
    asked = "select order_id from raw.service_tickets where created_at >= $day and created_at < $day + interval 28 day"
    keep(
        shop,
        "order_contact_risks",
        f"""order_id, if(order_id in ({asked}), 0.8, 0.2) as contact_probability, 0.5 as return_probability,
        0.1 as base_contacted
        from raw.orders where ordered_at >= $day - interval 14 day and ordered_at < $day""",
    )
    found = score(shop)
    assert found["contacted", "auc"]["value"] == 1 and found["contacted", "brier"]["value"] == pytest.approx(0.04)
    assert found["contacted", "rate"]["baseline_value"] == pytest.approx(0.1)
    assert found["returned", "auc"]["value"] == pytest.approx(0.5) and found["returned", "rate"]["value"] > 0


def test_prices_that_were_charged_and_what_they_earned(shop: Connection) -> None:
    shop.execute("update raw.products set unit_cost = 1")
    charged, margin = shop.execute(
        """select max(sold_price), sum(quantity * sold_price) - sum(quantity)
        from raw.orders join raw.order_lines using (order_id)
        where product_id = 'p1' and ordered_at >= $1 and ordered_at < $2""",
        [EARLIER, END],
    ).fetchall()[0]
    for product, price, status in (("p1", charged, "auto_apply"), ("p2", 99, "auto_apply"), ("p4", 99, "hold")):
        keep(
            shop,
            "price_recommendations",
            """$product as product_id, 98.0 as current_price, $price as recommended_price, $status as review_status,
            10.0 as expected_margin_now, 20.0 as expected_margin_then""",
            product=product,
            price=price,
            status=status,
        )
    found = score(shop)
    shop.execute("update raw.products set unit_cost = null")
    assert found["changes", "applied"]["value"] == 0.5
    changed = found["changes", "margin"]
    assert changed["value"] == pytest.approx(float(margin))
    assert (changed["promised_value"], changed["baseline_value"], changed["sample_count"]) == (20, 10, 1)
    assert found["margin", "margin"]["promised_value"] == 40
