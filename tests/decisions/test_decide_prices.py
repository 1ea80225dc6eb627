"""Prices and offers: guardrails, evidence, one curve."""

from __future__ import annotations

import pytest

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.night import Night
from tests.decisions.rules import Warehouse, pricing_rule, rows


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
