"""Replenishment: levels, terms, and orders for what will sell."""

from __future__ import annotations

import pytest

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.night import Night
from tests.decisions.rules import STOCK, Warehouse, rows


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
