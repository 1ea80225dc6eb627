"""From predictions and rules to published tables."""

from __future__ import annotations

import duckdb
import pytest

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.night import Night, StaffingConfig
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.validation.rules_sql import check_table

Warehouse = duckdb.DuckDBPyConnection

STOCK = """
insert into raw.inventory_snapshots by name
select date '2017-12-03' as snapshot_date, 'site-1' as site_id, 'product-' || i as product_id,
    i * 5.0 as on_hand_units, 0.0 as committed_units, i * 5.0 as available_units, 0.0 as incoming_units
from range(0, 50) as t(i);
"""


def rows(con: Warehouse, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def pricing_rule(con: Warehouse, rule_id: str, scope: str, scope_id: str | None, **limits: object) -> None:
    columns = "".join(f", ${number + 4} as {name}" for number, name in enumerate(limits))
    con.execute(
        f"insert into raw.pricing_rules by name select $1 as rule_id, $2 as scope, $3 as scope_id, "
        f"date '2017-01-01' as valid_from{columns}",
        [rule_id, scope, scope_id, *limits.values()],
    )


def recommendation_rule(con: Warehouse, rule_id: str, scope: str, scope_id: str | None, action: str, **more) -> None:
    con.execute(
        "insert into raw.recommendation_rules by name select $1 as rule_id, $2 as scope, $3 as scope_id, "
        "date '2017-01-01' as valid_from, $4 as action, $5 as weight, $6 as placement, $7::date as valid_to",
        [rule_id, scope, scope_id, action, more.get("weight"), more.get("placement"), more.get("valid_to")],
    )


def test_every_table_keeps_its_contract(decided: Warehouse, night: Night):
    broken = [result for table in PUBLISHED_TABLES for result in check_table(decided, table) if not result.is_passed]
    assert broken == []
    check_consistency(decided, night)


def test_the_same_night_again_gives_the_same_rows(decided: Warehouse, night: Night):
    def content() -> dict[str, list[tuple]]:
        return {
            table.name: rows(decided, f"select * exclude (predicted_at) from {table.qualified_name}")
            for table in PUBLISHED_TABLES
        }

    before = content()
    decide_actions(decided, night)
    assert content() == before
    assert before["action_queue"]


def test_tables_of_unserved_heads_are_empty(shop: Warehouse, night: Night):
    shop.execute("update ops.head_status set status = 'not_released' where head in ('pricing', 'recommendation')")
    written = decide_actions(shop, night).rows
    assert "price_recommendations" not in written
    assert rows(shop, "select count(*) from predictions.product_recommendations") == [(0,)]
    assert written["demand_forecasts"] == 240
    assert written["replenishment_recommendations"] == 59


def test_nothing_served_decides_nothing(shop: Warehouse, night: Night):
    shop.execute("delete from ops.head_status")
    shop.execute("drop schema predicted cascade")
    assert decide_actions(shop, night).rows == {"action_queue": 0}


def test_profiles(decided: Warehouse):
    profile = decided.sql("select * from predictions.user_profiles where user_id = 'user-3'").pl().to_dicts()[0]
    assert not profile["is_contactable"]
    assert [interest["category"] for interest in profile["interests"]] == ["category-1", "category-2", "category-0"]
    assert profile["segment_name"].split(", ")[1] == "regular"
    assert "expected" in profile["primary_reason"]
    stages = dict(rows(decided, "select lifecycle_stage, count(*) from predictions.user_profiles group by all"))
    assert set(stages) == {"active", "cooling", "lapsing"}
    assert rows(decided, "select distinct purchasing_power_decile from predictions.user_profiles order by 1") == [
        (decile,) for decile in range(1, 11)
    ]


def test_erased_users_are_in_no_table(shop: Warehouse, night: Night):
    shop.execute("update raw.users set erased_at = timestamp '2018-05-01' where user_id = 'user-4'")
    shop.execute("delete from staging.users where user_id = 'user-4'")
    decide_actions(shop, night)
    check_consistency(shop, night)
    for table in ("user_profiles", "product_recommendations", "promotion_recommendations"):
        assert rows(shop, f"select count(*) from predictions.{table} where user_id = 'user-4'") == [(0,)]


def test_lists_are_dense_and_of_their_kind(decided: Warehouse):
    lists = rows(
        decided,
        """select placement, user_id, list(rank order by rank) from predictions.product_recommendations group by all""",
    )
    assert all(ranks == list(range(1, 21)) for _, _, ranks in lists)
    assert len(lists) == 3 * 40 + 1
    assert rows(
        decided,
        """select count(*) from predictions.product_recommendations
        join predicted.recommendation using (user_id, product_id)
        where is_new <> (placement = 'new_to_you') and placement <> 'for_you'""",
    ) == [(0,)]
    assert (
        rows(
            decided,
            """select distinct product_id from predictions.product_recommendations
        where product_id in ('product-7', 'product-8')""",
        )
        == []
    )


def test_recommendation_rules(shop: Warehouse, night: Night):
    recommendation_rule(shop, "no-2", "category", "category-2", "exclude", placement="for_you")
    recommendation_rule(shop, "over", "all", None, "exclude", valid_to="2017-06-01")
    recommendation_rule(shop, "push", "product", "product-5", "boost", weight=1000)
    recommendation_rule(shop, "mild", "category", "category-1", "boost", weight=0.5)
    recommendation_rule(shop, "few", "brand", "brand-0", "cap", weight=2)
    decide_actions(shop, night)
    check_consistency(shop, night)
    shown = "from predictions.product_recommendations join raw.products using (product_id)"
    assert rows(shop, f"select count(*) {shown} where category = 'category-2' and placement = 'for_you'") == [(0,)]
    assert rows(shop, f"select count(*) > 0 {shown} where category = 'category-2' and placement = 'new_to_you'") == [
        (True,)
    ]
    assert rows(shop, f"select distinct rank, applied_rule {shown} where product_id = 'product-5'") == [
        (1, "boost push")
    ]
    assert rows(shop, f"select distinct applied_rule {shown} where product_id = 'product-21'") == [
        ("boost mild, cap few",)
    ]
    assert rows(
        shop, f"select max(n) from (select count(*) as n {shown} where brand = 'brand-0' group by placement, user_id)"
    ) == [(2,)]


def test_exploration_is_drawn_and_the_same_again(shop: Warehouse, night: Night):
    lists = night.decisions.recommendation.model_copy(update={"exploration_ratio": 0.2})
    curious = night.model_copy(update={"decisions": night.decisions.model_copy(update={"recommendation": lists})})
    decide_actions(shop, curious)
    drawn = (
        "select user_id, product_id, rank from predictions.product_recommendations where is_exploration order by all"
    )
    first = rows(shop, drawn)
    assert rows(
        shop,
        """select distinct count(*) filter (is_exploration), min(rank) filter (is_exploration), max(rank)
        from predictions.product_recommendations where placement = 'for_you' group by user_id""",
    ) == [(4, 17, 20)]
    decide_actions(shop, curious)
    assert rows(shop, drawn) == first


def test_prices_hold_without_evidence_and_apply_only_with_costs(decided: Warehouse):
    found = rows(
        decided,
        """select review_status, is_elasticity_identified, expected_margin_now is not null, count(*)
        from predictions.price_recommendations where recommended_price <> current_price group by all""",
    )
    assert {(status, known) for status, _, known, _ in found} == {("auto_apply", True), ("needs_review", False)}
    assert all(identified for _, identified, _, _ in found)
    assert rows(decided, "select count(*) from predictions.price_recommendations where product_id = 'product-11'") == [
        (0,)
    ]
    assert rows(
        decided,
        """select recommended_price = current_price, binding_rule, review_status
        from predictions.price_recommendations where product_id = 'product-9'""",
    ) == [(True, "is_price_locked", "hold")]
    assert rows(
        decided,
        """select count(*) from predictions.price_recommendations
        where review_status <> 'hold' and coalesce(expected_margin_then, expected_revenue_then)
            < coalesce(expected_margin_now, expected_revenue_now)""",
    ) == [(0,)]


def test_one_curve_for_price_and_order(decided: Warehouse):
    repriced = rows(
        decided,
        """select product_id, any_value(expected_units_then), sum(demand_units_mean),
            list(price_assumed order by forecast_date), any_value(recommended_price)
        from predictions.price_recommendations join predictions.demand_forecasts using (product_id)
        where review_status = 'auto_apply' group by all""",
    )
    assert repriced
    for _, units, forecast, prices, recommended in repriced:
        assert forecast == pytest.approx(units)
        assert float(prices[0]) == pytest.approx(float(recommended), abs=1e-3)
        # The promotion of the third week stays below the price of the others.
        assert prices[2] < prices[0]


def test_narrowest_pricing_rule_wins_guardrail_by_guardrail(shop: Warehouse, night: Night):
    pricing_rule(shop, "shop", "all", None, maximum_change_ratio=0.2, price_endings=".99,.49,.19,.79")
    pricing_rule(shop, "bakery", "category", "category-2", maximum_change_ratio=0.0)
    pricing_rule(shop, "icon", "product", "product-6", price_floor=3.25, maximum_change_ratio=0.2)
    decide_actions(shop, night)
    check_consistency(shop, night)
    price = (
        "select recommended_price = current_price, binding_rule, review_status from predictions.price_recommendations"
    )
    # At 2.00 its floor is out of reach of one change of 20%, so a person has to look.
    assert rows(shop, f"{price} where product_id = 'product-6'") == [(True, "price_floor (icon)", "needs_review")]
    assert rows(shop, f"{price} where product_id = 'product-58'") == [(True, "maximum_change_ratio (bakery)", "hold")]
    changes = rows(
        shop,
        """select abs(recommended_price / current_price - 1), right(recommended_price::decimal(18, 2)::varchar, 3)
        from predictions.price_recommendations where recommended_price <> current_price""",
    )
    assert max(change for change, _ in changes) > 0.1
    assert max(change for change, _ in changes) <= 0.2001
    assert {ending for _, ending in changes} <= {".99", ".49", ".19", ".79"}


def test_an_unreadable_price_ending_names_its_rule(shop: Warehouse, night: Night):
    pricing_rule(shop, "typo", "all", None, price_endings="99c")
    with pytest.raises(ValueError, match=r"price_endings \(typo\) says '99c'.*such as \.99"):
        decide_actions(shop, night)
    assert rows(shop, "select count(*) from predictions.user_profiles") == [(0,)]


def test_promotion_is_offered_above_the_usual_rate_to_those_who_agreed(decided: Warehouse):
    assert rows(decided, "select count(*) filter (is_recommended) from predictions.promotion_recommendations") == [
        (20,)
    ]
    assert rows(decided, "select distinct uplift, expected_margin_gain from predictions.promotion_recommendations") == [
        (None, None)
    ]
    assert "holdout" in rows(decided, "select primary_reason from predictions.promotion_recommendations")[0][0]


def test_lists_say_what_quality_is_expected(shop: Warehouse, night: Night):
    """Empty while no model predicts it."""
    shop.execute(
        """create table predicted.product_quality as
        select product_id, i % 3 as quality_number, 'model-1' as model_version, false as is_fallback
        from (select product_id, string_split(product_id, '-')[2]::integer as i from staging.products)"""
    )
    decide_actions(shop, night)
    shown = "select distinct predicted_quality from predictions.product_recommendations"
    assert rows(shop, shown) == [(None,)]
    shop.execute(
        """insert into ops.head_status by name
        select 'night-1' as run_id, 'quality' as head, 'released' as status, 'good' as reason"""
    )
    decide_actions(shop, night)
    assert rows(shop, f"{shown} where product_id = 'product-20'") == [("good",)]
    assert rows(shop, f"{shown} order by all") == [("bad",), ("good",), ("medium",)]


def test_an_offer_is_sent_where_what_it_adds_pays(shop: Warehouse, night: Night):
    """An order is worth 20 at a margin of a quarter, a coupon 1: one more order in ten is worth 0.50, less the coupon
    for those who redeem it."""
    shop.execute("update predicted.promotion set order_probability = 0.3, uplift = 0.1")
    shop.execute("update raw.campaigns set discount_value = 1")
    shop.execute("update raw.products set unit_cost = 3")
    shop.execute("insert into staging.order_lines values ('product-1', 1, 4.0, true)")
    decide_actions(shop, night)
    gains = rows(
        shop,
        """select round(redemption_probability, 2), round(expected_margin_gain, 2), is_recommended
        from predictions.promotion_recommendations order by 1""",
    )
    assert gains[0] == (0.01, 0.49, True) and gains[-1] == (0.4, 0.1, True)
    shop.execute("update predicted.promotion set uplift = 0.02")
    decide_actions(shop, night)
    chosen = rows(
        shop,
        """select is_recommended, min(redemption_probability), max(redemption_probability)
        from predictions.promotion_recommendations where user_id <> 'user-3' group by all order by 1 desc""",
    )
    assert [round(limit, 2) for row in chosen for limit in row[1:]] == [0.01, 0.09, 0.1, 0.4]


def test_without_inventory_there_are_levels_but_no_orders(decided: Warehouse):
    assert rows(
        decided,
        """select distinct exception_type, inventory_position_units, recommended_order_units, order_by_date,
            stockout_probability, expected_lost_margin
        from predictions.replenishment_recommendations""",
    ) == [("no_inventory_data", None, None, None, None, None)]
    assert rows(
        decided, "select count(*) from predictions.replenishment_recommendations where order_up_to_units <= 0"
    ) == [(0,)]


def test_with_inventory_orders_follow_terms_and_promises_hold(shop: Warehouse, night: Night):
    shop.execute(STOCK)
    shop.execute(
        """insert into raw.supplier_products by name
        select 'supplier-1' as supplier_id, product_id, 30.0 as minimum_order_units, 12.0 as order_multiple_units
        from raw.products"""
    )
    shop.execute("update raw.supplier_products set supplier_id = 'supplier-2' where product_id = 'product-20'")
    shop.execute("insert into features.lead_times values ('supplier-2', date '2017-12-04', 8, 12, 11)")
    shop.execute(
        """insert into raw.inventory_policies by name
        select 'shelf' as rule_id, 'product' as scope, 'product-21' as scope_id, date '2017-01-01' as valid_from,
            14.0 as maximum_cover_days, 10.0 as lead_time_days"""
    )
    decide_actions(shop, night)
    check_consistency(shop, night)
    orders = rows(
        shop,
        """select recommended_order_units from predictions.replenishment_recommendations
        where recommended_order_units > 0""",
    )
    assert orders
    assert all(units >= 30 and units % 12 == 0 for (units,) in orders)
    terms = "from predictions.replenishment_recommendations where product_id ="
    assert rows(shop, f"select lead_time_days_p50, lead_time_days_p90 {terms} 'product-20'") == [(15.0, 19.0)]
    assert rows(shop, f"select lead_time_days_p50, binding_rule {terms} 'product-21'")[0][0] == 10.0
    assert "maximum_cover_days" in rows(shop, f"select binding_rule {terms} 'product-21'")[0][0]
    assert rows(shop, f"select exception_type, order_by_date {terms} 'product-0'")[0][0] == "stockout_risk"
    assert rows(shop, f"select exception_type {terms} 'product-55'") == [("no_inventory_data",)]
    assert rows(shop, "select count(*) from predictions.product_recommendations where product_id = 'product-0'") == [
        (0,)
    ]
    assert rows(
        shop,
        """select count(*) from predictions.product_recommendations
        where in_stock_probability is null and product_id = 'product-30'""",
    ) == [(0,)]
    assert {"supply", "profile", "pricing"} <= {
        head for (head,) in rows(shop, "select head from predictions.action_queue")
    }


SERVICE = """
insert into raw.order_lines by name
select 'line-' || order_id as order_line_id, order_id, 'product-1' as product_id,
    if(order_id in ('order-1', 'order-2'), timestamp '2017-11-24', null) as delivered_at
from raw.orders;
insert into raw.service_tickets by name
select 'ticket-' || i as ticket_id, 'order-' || i as order_id, 'chat' as channel,
    if(i <= 2, 'damaged', 'where_is_my_order') as contact_reason, timestamp '2017-11-25' as created_at,
    12.0 as handle_minutes
from range(1, 6) as t(i);
create table samples.service_orders as
select order_id, user_id, 'train' as fold, date '2017-11-24' as origin_date, 1 as label_contacted,
    order_id in ('order-1', 'order-2') as ctx_is_delivered, not ctx_is_delivered as ctx_is_overdue,
    4 as ctx_days_late
from raw.orders semi join raw.service_tickets using (order_id)
union all
select order_id, user_id, 'serve', date '2017-12-04', null, i < 40, i >= 60, 4
from (select *, row_number() over (order by order_id) as i from raw.orders);
create table predicted.service_days as
select date '2017-12-04' + i::integer as forecast_date, 'chat' as channel, 'damaged' as contact_reason,
    100e0 as contacts_mean, 80e0 as contacts_p10, 100e0 as contacts_p50, 120e0 as contacts_p90,
    'model-1' as model_version, false as is_fallback
from range(7) as t(i);
create table predicted.service_orders as
select order_id, i / 100 as contact_probability, i / 200 as return_probability, 'model-1' as model_version,
    false as is_fallback
from (select order_id, row_number() over (order by order_id) as i from raw.orders);
create table predicted.service_tickets as
select 'ticket-' || i as ticket_id, i = 2 as is_missed_by_now, 9.0 + i as expected_handle_minutes,
    0.25 as missed_probability, 0.1 as priority_low, 0.2 as priority_normal, 0.6 as priority_high,
    0.1 as priority_urgent, 'model-1' as model_version, false as is_fallback
from range(1, 3) as t(i);
insert into ops.head_status by name
select 'night-1' as run_id, unnest(['service', 'tickets']) as head, 'released' as status, 'good' as reason;
"""


def test_service_tables_when_tickets_exist(shop: Warehouse, night: Night):
    """A contact takes 12 minutes of an hour that costs 30: 6. Late orders (60 and on) ask where they are, and a
    message for 0.10 saves three of ten such questions; delivered ones (below 40) ask what no message saves."""
    shop.execute(SERVICE)
    decide_actions(shop, night)
    assert rows(
        shop, "select distinct contacts_mean, workload_hours, required_agents from predictions.service_forecasts"
    ) == [(100.0, 20.0, 3)]
    risks = rows(
        shop,
        """select likely_reason, suggested_action, is_message_worthwhile, min(contact_probability),
            max(abs(expected_saving - if(is_message_worthwhile, contact_probability * 0.3 * 6 - 0.1, 0)))
        from predictions.order_contact_risks group by all order by 4""",
    )
    assert risks == [
        ("damaged", "Nothing", False, 0.01, 0.0),
        (None, "Nothing", False, 0.4, 0.0),
        (
            "where_is_my_order",
            "Write to the customer: the parcel is late, and when it will come",
            True,
            0.6,
            pytest.approx(0, abs=1e-9),
        ),
    ]
    reason = rows(shop, "select primary_reason from predictions.order_contact_risks order by contact_probability")
    assert reason[-1] == ("4 days late, 80% likely to lead to a contact, most often about where_is_my_order.",)
    assert "service" in {head for (head,) in rows(shop, "select head from predictions.action_queue")}


def test_open_tickets_are_judged(shop: Warehouse, night: Night):
    """A promise that is missed already is missed for certain."""
    shop.execute(SERVICE)
    decide_actions(shop, night)
    query = """select ticket_id, predicted_priority, expected_handle_minutes, sla_breach_probability
        from predictions.ticket_predictions order by all"""
    assert rows(shop, query) == [("ticket-1", "high", 10.0, 0.25), ("ticket-2", "high", 11.0, 1.0)]


def test_no_message_where_it_costs_more_than_it_saves(shop: Warehouse, night: Night):
    shop.execute(SERVICE)
    dear = StaffingConfig(message_cost=2.0)
    decisions = night.decisions.model_copy(update={"staffing": dear})
    decide_actions(shop, night.model_copy(update={"decisions": decisions}))
    query = "select distinct is_message_worthwhile, suggested_action from predictions.order_contact_risks"
    assert rows(shop, query) == [(False, "Nothing")]


def test_what_does_not_suffice_for_all_is_allotted(shop: Warehouse, night: Night):
    """Everybody would buy product 6, of which there are 3 and more only in six weeks; the others are plenty."""
    shop.execute(
        """insert into raw.inventory_snapshots by name
        select date '2017-12-03' as snapshot_date, 'site-1' as site_id, 'product-' || i as product_id,
            if(i = 6, 3.0, 1000.0) as on_hand_units, on_hand_units as available_units
        from range(60) as t(i);
        insert into raw.inventory_policies by name
        select 'far' as rule_id, 'product' as scope, 'product-6' as scope_id, date '2017-01-01' as valid_from,
            42.0 as lead_time_days;
        update predicted.demand set demand_units_mean = 0.5, demand_units_p10 = 0, demand_units_p50 = 0.5,
            demand_units_p90 = 1, demand_units_p95 = 1 where product_id = 'product-6';
        update predicted.recommendation set score = 3, purchase_probability = 0.95 where product_id = 'product-6'"""
    )
    decide_actions(shop, night)
    check_consistency(shop, night)
    shown = """from predictions.product_recommendations
        where product_id = 'product-6' and user_id <> 'everyone'"""
    users = rows(shop, f"select count(distinct user_id) {shown}")[0][0]
    assert users == 3
    assert rows(shop, f"select distinct applied_rule {shown}") == [("scarce",)]
    assert "scarce" in rows(shop, f"select primary_reason {shown}")[0][0]
    assert rows(
        shop,
        """select count(*) from predictions.product_recommendations
        where product_id = 'product-6' and user_id = 'everyone'""",
    ) == [(0,)]
    assert rows(shop, "select action, primary_reason from predictions.action_queue where head = 'recommendation'") == [
        (
            "Hurry the supply of Product 6: lists could sell 35 more",
            "Tonight's lists would sell 38 units in the 28 days until an order arrives; 3 are there or due.",
        )
    ]
    # The place of product 6 is taken by the next candidate.
    assert rows(
        shop,
        """select distinct count(*) from predictions.product_recommendations
        where user_id <> 'everyone' group by user_id, placement""",
    ) == [(20,)]


def test_lists_earn_margin_or_purchases(shop: Warehouse, night: Night):
    lists = night.decisions.recommendation.model_copy(update={"order_by": "purchases"})
    by_purchases = night.model_copy(update={"decisions": night.decisions.model_copy(update={"recommendation": lists})})
    worth = "select sum(expected_margin), sum(purchase_probability) from predictions.product_recommendations"
    decide_actions(shop, night)
    ((margin, purchases),) = rows(shop, worth)
    decide_actions(shop, by_purchases)
    ((less_margin, more_purchases),) = rows(shop, worth)
    assert margin > less_margin
    assert purchases < more_purchases


def test_orders_cover_what_lists_would_sell_where_that_is_more(shop: Warehouse, night: Night):
    level = "select order_up_to_units from predictions.replenishment_recommendations where product_id = 'product-6'"
    shop.execute(
        """update predicted.demand set demand_units_mean = 0.5, demand_units_p10 = 0, demand_units_p50 = 0.5,
            demand_units_p90 = 1, demand_units_p95 = 1 where product_id = 'product-6'"""
    )
    decide_actions(shop, night)
    ((as_forecast,),) = rows(shop, level)
    shop.execute("update predicted.recommendation set purchase_probability = 0.95 where product_id = 'product-6'")
    decide_actions(shop, night)
    ((as_listed,),) = rows(shop, level)
    assert as_listed > 5 * as_forecast
    assert (
        "38.0 as tonight's lists would sell"
        in rows(
            shop, "select primary_reason from predictions.replenishment_recommendations where product_id = 'product-6'"
        )[0][0]
    )


def test_each_site_orders_for_its_share(shop: Warehouse, night: Night):
    """Three of four units leave from site-1, which is sold out of what site-2 has plenty of."""
    shop.execute(
        """insert into raw.inventory_snapshots by name
        select date '2017-12-03' as snapshot_date, 'site-' || site as site_id, 'product-20' as product_id,
            if(site = 1, 0.0, 200.0) as on_hand_units
        from range(1, 3) as t(site);
        insert into raw.order_lines by name
        select 'line-' || i as order_line_id, 'order-' || i as order_id, 'product-20' as product_id,
            if(i < 59, 'site-1', 'site-2') as ship_from_site_id, 1.0 as quantity
        from range(78) as t(i)"""
    )
    decide_actions(shop, night)
    check_consistency(shop, night)
    plans = rows(
        shop,
        """select site_id, inventory_position_units, recommended_order_units > 0, order_up_to_units
        from predictions.replenishment_recommendations where product_id = 'product-20' order by site_id""",
    )
    assert [plan[:3] for plan in plans] == [("site-1", 0.0, True), ("site-2", 200.0, False)]
    assert plans[0][3] / plans[1][3] == pytest.approx(3, rel=0.1)
    # A quarter of the buyers find it, which is too few to show it to all.
    assert rows(shop, "select count(*) from predictions.product_recommendations where product_id = 'product-20'") == [
        (0,)
    ]


def test_margin_against_holding_sets_the_service_level_unless_a_rule_does(shop: Warehouse, night: Night):
    stock = night.decisions.replenishment.model_copy(update={"holding_cost_ratio": 5.0})
    frugal = night.model_copy(update={"decisions": night.decisions.model_copy(update={"replenishment": stock})})
    shop.execute(
        """insert into raw.inventory_policies by name
        select 'shelf' as rule_id, 'product' as scope, 'product-21' as scope_id, date '2017-01-01' as valid_from,
            0.95 as service_level"""
    )
    decide_actions(shop, night)
    level = """select product_id, order_up_to_units from predictions.replenishment_recommendations
        where product_id in ('product-20', 'product-21', 'product-50')"""
    usual = dict(rows(shop, level))
    decide_actions(shop, frugal)
    found = dict(rows(shop, level))
    assert found["product-20"] < usual["product-20"]
    assert (found["product-21"], found["product-50"]) == (usual["product-21"], usual["product-50"])


def test_queue_is_ranked_by_worth(decided: Warehouse, night: Night):
    queue = rows(
        decided, "select rank, value_at_stake, value_basis, do_by_date from predictions.action_queue order by rank"
    )
    assert [rank for rank, *_ in queue] == list(range(1, len(queue) + 1))
    for basis in ("margin", "revenue"):
        values = [value or 0 for _, value, kind, _ in queue if kind == basis]
        assert values == sorted(values, reverse=True)
    assert all(do_by_date >= night.as_of_date for *_, do_by_date in queue)
