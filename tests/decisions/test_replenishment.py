"""Order-up-to levels and orders."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_models.decisions.replenishment import (
    LONGEST_CYCLE_DAYS,
    Demand,
    Levels,
    Policy,
    days_until,
    demand_over,
    economic_cycle_days,
    order_levels,
    order_units,
    share_of_demand,
    weekly_variance,
)


def policy(**given: float) -> Policy:
    usual = {
        "service_level": 0.95,
        "review_days": 7,
        "lead_time_days": 7,
        "lead_time_spread": 0,
        "maximum_cover_days": np.nan,
        "minimum_order_units": np.nan,
        "order_multiple_units": np.nan,
        "days_on_sale": np.nan,
        "order_line_cost": np.nan,
        "unit_holding_cost": np.nan,
    }
    limits = {name: np.array([float(value)]) for name, value in (usual | given).items() if name != "is_selling_out"}
    return Policy(**limits, is_selling_out=np.array([bool(given.get("is_selling_out", False))]))


def weeks(mean: float) -> np.ndarray:
    return np.full((1, 4), float(mean))


@given(st.floats(0.01, 500), st.floats(1, 6), st.floats(0.5, 0.99))
@settings(max_examples=50, deadline=None)
def test_quantile_and_probability_are_one_distribution(mean, dispersion, level):
    demand = Demand(mean=np.array([mean]), variance=np.array([mean * dispersion]))
    units = demand.quantile(np.array([level]))
    if units[0] > 1e-6:
        assert demand.probability_above(units)[0] == pytest.approx(1 - level, abs=1e-6)


def test_shortage_matches_a_simulation():
    demand = Demand(mean=np.array([20.0]), variance=np.array([60.0]))
    draws = np.random.default_rng(0).gamma(20**2 / 60, 60 / 20, 400_000)
    assert demand.expected_shortage(np.array([25.0]))[0] == pytest.approx(np.maximum(draws - 25, 0).mean(), rel=0.02)
    assert demand.quantile(np.array([0.95]))[0] == pytest.approx(np.quantile(draws, 0.95), rel=0.01)


@given(st.floats(0, 100), st.floats(0.6, 0.98), st.integers(0, 60), st.integers(1, 28), st.integers(1, 60))
@settings(max_examples=50, deadline=None)
def test_more_service_and_longer_waits_need_more_stock(mean, level, lead, review, cover):
    base = order_levels(
        weeks(mean), weeks(2 * mean), policy(service_level=level, lead_time_days=lead, review_days=review)
    )
    better = order_levels(
        weeks(mean), weeks(2 * mean), policy(service_level=level + 0.01, lead_time_days=lead + 1, review_days=review)
    )
    assert base.reorder_point[0] <= base.order_up_to[0] + 1e-9
    assert better.order_up_to[0] >= base.order_up_to[0] - 1e-9
    capped = order_levels(weeks(mean), weeks(2 * mean), policy(lead_time_days=lead, maximum_cover_days=cover))
    assert capped.order_up_to[0] <= max(mean / 7 * cover, capped.reorder_point[0]) + 1e-6


@given(st.floats(0, 300), st.integers(0, 40), st.integers(0, 24), st.floats(0, 100))
@settings(max_examples=80, deadline=None)
def test_orders_respect_minimum_and_multiple(position, minimum, multiple, gap):
    levels = Levels(
        reorder_point=np.array([100.0]),
        order_up_to=np.array([100.0 + gap]),
        cycle_days=np.array([7.0]),
        is_capped=np.array([False]),
    )
    terms = policy(minimum_order_units=minimum, order_multiple_units=multiple)
    (units,) = order_units(np.array([position]), levels, terms).units
    if position > 100:
        assert units == 0
    elif units > 0:
        assert units >= minimum
        assert position + units >= 100 + gap - 1e-6
        assert multiple == 0 or units % multiple == pytest.approx(0, abs=1e-6)
        assert units < max(100 + gap - position + 1, minimum) + max(multiple, 1)


@pytest.mark.parametrize(
    ("minimum", "multiple", "expected"),
    [(np.nan, np.nan, (50, False, False)), (80, np.nan, (80, True, False)), (np.nan, 24, (72, False, True))],
)
def test_the_shaping_rule_is_named(minimum, multiple, expected):
    levels = Levels(
        reorder_point=np.array([60.0]),
        order_up_to=np.array([90.0]),
        cycle_days=np.array([7.0]),
        is_capped=np.array([False]),
    )
    terms = policy(minimum_order_units=minimum, order_multiple_units=multiple)
    orders = order_units(np.array([40.0]), levels, terms)
    assert (orders.units[0], orders.is_minimum[0], orders.is_multiple[0]) == expected


@given(st.floats(0, 120), st.integers(0, 60), st.integers(0, 24), st.floats(0, 100), st.integers(1, 30))
@settings(max_examples=80, deadline=None)
def test_what_is_selling_out_is_never_ordered_beyond_its_level(position, minimum, multiple, gap, days_on_sale):
    levels = Levels(
        reorder_point=np.array([100.0]),
        order_up_to=np.array([100.0 + gap]),
        cycle_days=np.array([7.0]),
        is_capped=np.array([False]),
    )
    terms = policy(
        minimum_order_units=minimum, order_multiple_units=multiple, days_on_sale=days_on_sale, is_selling_out=True
    )
    orders = order_units(np.array([position]), levels, terms)
    (units,) = orders.units
    assert units == 0 or units >= minimum
    assert units == 0 or position + units <= 100 + gap + 1e-6
    assert units == 0 or days_on_sale > 7
    assert units % max(multiple, 1) == pytest.approx(0)
    usual = order_units(
        np.array([position]), levels, policy(minimum_order_units=minimum, order_multiple_units=multiple)
    )
    assert orders.is_held_down[0] == (units < usual.units[0])


@given(st.floats(0.1, 100), st.integers(0, 30), st.integers(0, 40))
@settings(max_examples=40, deadline=None)
def test_a_product_that_ends_needs_no_more_than_its_last_days(mean, lead, days_on_sale):
    ending = order_levels(weeks(mean), weeks(2 * mean), policy(lead_time_days=lead, days_on_sale=days_on_sale))
    usual = order_levels(weeks(mean), weeks(2 * mean), policy(lead_time_days=lead))
    last_days = demand_over(np.array([float(days_on_sale)]), weeks(mean), weeks(2 * mean))
    assert ending.order_up_to[0] <= usual.order_up_to[0] + 1e-6
    assert ending.order_up_to[0] <= last_days.quantile(np.array([0.95]))[0] + 1e-6


def test_without_a_position_there_is_no_order():
    levels = order_levels(weeks(7), weeks(14), policy())
    (units,) = order_units(np.array([np.nan]), levels, policy()).units
    assert np.isnan(units)
    assert np.isnan(days_until(np.array([np.nan]), levels.reorder_point, weeks(7))[0])
    assert np.isnan(Demand(mean=np.array([7.0]), variance=np.array([7.0])).probability_above(np.array([np.nan]))[0])


def test_demand_over_days_takes_parts_of_weeks_and_goes_on_after_the_last():
    mean = np.array([[7.0, 14.0, 7.0, 7.0]])
    days = [0, 3.5, 10.5, 28, 35]
    found = [demand_over(np.array([float(day)]), mean, mean).mean[0] for day in days]
    assert found == pytest.approx([0, 3.5, 14, 35, 43.75])


@given(st.floats(0.1, 100), st.floats(1, 8), st.lists(st.floats(0.05, 1), min_size=1, max_size=5))
@settings(max_examples=40, deadline=None)
def test_sites_share_the_demand_of_the_shop(mean, dispersion, parts):
    """Sites whose demands move together as their shares say add up to the shop's mean and variance."""
    share = np.array(parts) / sum(parts)
    means, variances = share_of_demand(mean, dispersion * mean, share)
    assert means.sum() == pytest.approx(mean)
    assert (variances >= means * (1 - 1e-9)).all()
    covariances = np.outer(share, share) * (dispersion - 1) * mean
    assert variances.sum() + covariances.sum() - np.trace(covariances) == pytest.approx(dispersion * mean)


def test_variance_takes_the_wider_spread_and_at_least_that_of_a_count():
    found = weekly_variance(np.array([4.0, 4.0]), np.array([4.0, 1.0]), np.array([4.0, 7.0]), np.array([np.nan, 14.0]))
    assert found[0] == 4.0
    assert found[1] == pytest.approx((10 / 1.6449) ** 2, rel=1e-3)


@given(st.floats(0.5, 300), st.floats(0.05, 20), st.floats(0.0005, 0.5))
@settings(max_examples=60, deadline=None)
def test_the_economic_order_costs_least(mean, order_line_cost, unit_holding_cost):
    """Harris (1913): of all quantities, it has the least cost of ordering and holding a day."""
    terms = policy(order_line_cost=order_line_cost, unit_holding_cost=unit_holding_cost)
    (days,) = economic_cycle_days(weeks(mean), terms)
    daily = mean / 7

    def cost(cycle: np.ndarray) -> np.ndarray:
        return order_line_cost / cycle + unit_holding_cost * daily * cycle / 2

    tried = np.linspace(0.5, LONGEST_CYCLE_DAYS, 400)
    assert cost(np.array([days]))[0] <= cost(tried).min() * (1 + 1e-9) or days < 0.5
    levels = order_levels(weeks(mean), weeks(2 * mean), terms)
    assert levels.order_up_to[0] - levels.reorder_point[0] >= daily * days - 1e-6
    assert levels.cycle_days[0] >= 7


def test_without_costs_orders_are_for_the_review_period():
    known = order_levels(weeks(7), weeks(14), policy(order_line_cost=5, unit_holding_cost=0.001))
    for unknown in (policy(), policy(order_line_cost=5), policy(unit_holding_cost=0.001)):
        levels = order_levels(weeks(7), weeks(14), unknown)
        assert levels.cycle_days[0] == 7
        assert levels.order_up_to[0] < known.order_up_to[0]
    assert economic_cycle_days(weeks(0), policy(order_line_cost=5, unit_holding_cost=0.001))[0] == 0


@given(st.floats(0.1, 100), st.integers(0, 30), st.integers(0, 60))
@settings(max_examples=40, deadline=None)
def test_an_economic_order_is_not_for_days_after_the_last(mean, lead, days_on_sale):
    costs = {"order_line_cost": 50.0, "unit_holding_cost": 0.0001, "review_days": 1}
    levels = order_levels(weeks(mean), weeks(2 * mean), policy(lead_time_days=lead, days_on_sale=days_on_sale, **costs))
    left = max(days_on_sale - lead, 0)
    room = levels.order_up_to[0] - levels.reorder_point[0]
    last_days = demand_over(np.array([float(days_on_sale)]), weeks(mean), weeks(2 * mean))
    assert room <= max(mean / 7 * left, last_days.quantile(np.array([0.95]))[0] - levels.reorder_point[0]) + 1e-6
