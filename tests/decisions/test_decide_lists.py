"""Recommendations: lists, rules, exploration, and what does not suffice for all."""

from __future__ import annotations

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.night import Night
from tests.decisions.rules import Warehouse, recommendation_rule, rows


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


def test_what_everybody_buys_makes_room_in_users_own_lists(shop: Warehouse, night: Night):
    """The list for everyone stays as it is: there, popular is the point. So do the probabilities that are shown."""
    own = "from predictions.product_recommendations where user_id <> 'everyone'"
    for_all = "select * exclude predicted_at from predictions.product_recommendations where user_id = 'everyone'"
    shown = f"select user_id, product_id, purchase_probability, expected_margin {own}"
    decide_actions(shop, night)
    popular, lists = rows(shop, f"select product_id, count(*) {own} group by all order by 2 desc, 1 limit 1")[0]
    before, everyone = {row[:2]: row[2:] for row in rows(shop, shown)}, sorted(rows(shop, for_all), key=str)
    shop.execute(
        "update predicted.recommendation set popularity_discount_ratio = 0.01 where product_id = $1", [popular]
    )
    decide_actions(shop, night)
    check_consistency(shop, night)
    assert lists > 20 and rows(shop, f"select count(*) {own} and product_id = '{popular}'") == [(0,)]
    assert sorted(rows(shop, for_all), key=str) == everyone
    after = {row[:2]: row[2:] for row in rows(shop, shown)}
    assert len(before.keys() & after) > 100 and all(after[pair] == before[pair] for pair in before.keys() & after)


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
