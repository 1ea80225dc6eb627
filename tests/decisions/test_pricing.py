"""The price policy: grid, guardrails, choice."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_models.decisions.pricing import (
    Guardrail,
    Limits,
    choose_price,
    first_forbidding,
    price_grid,
    respond,
    snap,
)

NONE = np.array([np.nan])
ENDINGS = (0.99, 0.49)

prices = st.floats(0.05, 400).map(lambda price: round(price, 4))
slopes = st.floats(-5, -0.05)


def limits(count: int = 1, **given: np.ndarray) -> Limits:
    nothing = np.full(count, np.nan)
    values = dict.fromkeys(Limits.__dataclass_fields__, nothing)
    values |= {"is_locked": np.zeros(count, bool), "maximum_change_ratio": np.full(count, 0.1)}
    values |= {"minimum_margin_ratio": np.zeros(count), "stock_days": np.full(count, 7.0)}
    return Limits(**(values | given))


def decide(current: float, slope: float, guardrails: Limits, endings: tuple[float, ...] = ENDINGS):
    grid, is_ending = price_grid(np.array([current]), guardrails.maximum_change_ratio, endings, 9)
    weeks = np.zeros(4, np.int64)
    response = respond(grid, guardrails.unit_cost, weeks, np.full(4, 25.0), np.full(4, current), np.full(4, slope))
    forbidden = first_forbidding(grid, response.units, is_ending, guardrails, 28)
    return grid[0], response, forbidden[0], choose_price(grid, response, forbidden, np.array([True]))


@given(prices, st.floats(0.01, 0.4), st.integers(3, 15), st.sampled_from([ENDINGS, (), (0.0, 0.25, 0.5, 0.95)]))
@settings(max_examples=80, deadline=None)
def test_grid_rises_and_holds_the_current_price(current, change, steps, endings):
    grid, is_ending = price_grid(np.array([current]), np.array([change]), endings, steps)
    row = grid[0]
    assert row[steps // 2] == current
    assert (np.diff(row[~np.isnan(row)]) > 0.004).all()
    for price in row[is_ending[0] & ~np.isnan(row) & (row != current)]:
        fraction = price % 1
        assert not endings or min(abs(fraction - end) for end in (*endings, *(end + 1 for end in endings))) < 1e-3


@given(prices, slopes, st.floats(0.3, 1.2), st.floats(0.02, 0.3), st.floats(0.5, 1.5), st.floats(0, 0.4))
@settings(max_examples=120, deadline=None)
def test_recommended_price_is_allowed_and_at_least_as_good(current, slope, cost, change, floor, margin):
    guardrails = limits(
        unit_cost=np.array([cost * current]),
        maximum_change_ratio=np.array([change]),
        floor=np.array([floor * current]),
        minimum_margin_ratio=np.array([margin]),
    )
    grid, response, forbidden, choice = decide(current, slope, guardrails)
    chosen, centre = choice.column[0], len(grid) // 2
    if forbidden[centre] == Guardrail.NONE:
        assert forbidden[chosen] == Guardrail.NONE
        assert response.objective[0, chosen] >= response.objective[0, centre]
    if chosen != centre:
        price = grid[chosen]
        assert price >= floor * current - 1e-3
        assert abs(price / current - 1) <= change + 1e-3
        assert 1 - cost * current / price >= margin - 1e-3
    else:
        assert grid[chosen] == current


@given(prices, slopes)
@settings(max_examples=50, deadline=None)
def test_units_fall_in_price(current, slope):
    _, response, _, _ = decide(current, slope, limits())
    units = response.units[0]
    assert (np.diff(units[~np.isnan(units)]) < 0).all()


@pytest.mark.parametrize(
    ("price", "upward", "expected"),
    [(3.10, False, 2.99), (3.10, True, 3.49), (2.99, False, 2.99), (2.99, True, 2.99), (0.30, False, -0.01)],
)
def test_snap(price, upward, expected):
    assert snap(np.array([price]), ENDINGS, upward=upward)[0] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("changed", "binding", "price"),
    [
        ({"is_locked": np.array([True])}, Guardrail.PRICE_LOCK, 10.00),
        ({"floor": np.array([9.9])}, Guardrail.PRICE_FLOOR, 9.99),
        ({"unit_cost": np.array([2.0]), "minimum_margin_ratio": np.array([0.79])}, Guardrail.MINIMUM_MARGIN, 9.99),
        ({"stock_units": np.array([20.0])}, Guardrail.STOCK, 10.00),
        ({"stock_units": np.array([90.0]), "week_units": np.array([20.0])}, Guardrail.STOCK, 10.00),
        ({}, Guardrail.MAXIMUM_CHANGE, 9.49),
    ],
)
def test_binding_rule_is_the_one_that_stops_a_cut(changed, binding, price):
    # Demand this elastic wants a price far below 10; selling 100 units in 28 days takes 25 within the lead time.
    grid, _, _, choice = decide(10.0, -4.0, limits(**changed))
    assert choice.binding[0] == binding
    assert grid[choice.column[0]] == pytest.approx(price)


def test_nothing_binds_at_the_best_price():
    # Margin is largest at cost * e / (1 + e) = 8 * 5 / 4 = 10, which is the price already.
    _, _, _, choice = decide(10.0, -5.0, limits(unit_cost=np.array([8.0])))
    assert (choice.column[0], choice.binding[0]) == (4, Guardrail.NONE)


def test_a_price_outside_its_guardrails_moves_inside_even_at_a_loss():
    grid, response, _, choice = decide(10.0, -4.0, limits(floor=np.array([10.4])))
    assert grid[choice.column[0]] == pytest.approx(10.49)
    assert response.objective[0, choice.column[0]] < response.objective[0, 4]


def test_a_product_that_may_not_change_keeps_its_price():
    grid, is_ending = price_grid(np.array([10.0]), np.array([0.1]), ENDINGS, 9)
    response = respond(grid, NONE, np.array([0]), np.array([100.0]), np.array([10.0]), np.array([-4.0]))
    forbidden = first_forbidding(grid, response.units, is_ending, limits(), 28)
    choice = choose_price(grid, response, forbidden, np.array([False]))
    assert (choice.column[0], choice.binding[0]) == (4, Guardrail.NONE)


def test_a_planned_promotion_keeps_its_depth():
    grid, _ = price_grid(np.array([10.0]), np.array([0.1]), ENDINGS, 9)
    weekly = respond(
        grid, NONE, np.array([0, 0]), np.array([10.0, 20.0]), np.array([10.0, 8.0]), np.array([-2.0, -2.0])
    )
    ratio = grid[0] / 10
    np.testing.assert_allclose(weekly.units[0], 30 * ratio**-2)
    np.testing.assert_allclose(weekly.revenue[0], (10 * 10 + 20 * 8) * ratio**-1)
