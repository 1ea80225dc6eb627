"""Prices: what to charge, and the demand that goes with it."""

from __future__ import annotations

import duckdb
import numpy as np

from mtl_models.decisions.pricing import (
    Choice,
    Guardrail,
    Limits,
    Response,
    choose_price,
    first_forbidding,
    price_grid,
    respond,
)
from mtl_models.demand_curve import units_at
from mtl_models.normal import Z_90
from tasks.decisions.context import Arrays, arrays, run_step, store, write
from tasks.night import Night

HORIZON_DAYS = 28


def decide(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, int]:
    """Fill price_recommendations and price_responses. Rows of each.

    ValueError names the pricing rule when its price endings cannot be read.
    """
    run_step(con, "priced_products")
    products = arrays(
        con,
        """select product_row, cast(current_price as double) as current_price, unit_cost, elasticity_sd,
            is_elasticity_identified, is_price_locked, price_floor, price_ceiling, minimum_margin_ratio,
            maximum_change_ratio, endings_group, position_units, week_units, lead_time_days_p50, decided_price
        from priced_products order by product_row""",
    )
    demand = arrays(
        con,
        """select product_row, demand_units_mean, price_assumed, demand.elasticity
        from predicted.demand join priced_products using (product_id)
        order by product_row, site_id, week_start""",
    )
    prices, is_ending = _grids(con, products, night.decisions.pricing.grid_steps)
    middle = _response(prices, products, demand, demand["elasticity"])
    limits = _limits(products)
    forbidden = first_forbidding(prices, middle.units, is_ending, limits, HORIZON_DAYS)
    identified = products["is_elasticity_identified"].astype(bool)
    choice = choose_price(prices, middle, forbidden, may_change=identified)
    _store_choices(con, _then_now_and_modelled(prices, choice, products), choice, products, demand)
    _store_grid(con, prices, middle, forbidden)
    rows = {name: write(con, name) for name in ("price_recommendations", "price_responses")}
    run_step(con, "decided_prices")
    return rows


def charge(con: duckdb.DuckDBPyConnection) -> None:
    """Create `charged_demand`: the forecasts at the price in force, or at the new one where it applies by itself."""
    changes = arrays(
        con,
        """select
            demand.rowid as demand_row,
            demand.elasticity,
            cast(recommended_price as double) / cast(current_price as double) as price_ratio
        from predicted.demand
        join predictions.price_recommendations using (product_id)
        where review_status = 'auto_apply'""",
    )
    ones = np.ones(len(changes["price_ratio"]))
    store(
        con,
        "demand_ratios",
        {
            "demand_row": changes["demand_row"],
            "price_ratio": changes["price_ratio"],
            "unit_ratio": units_at(ones, changes["elasticity"], ones, changes["price_ratio"]),
        },
    )
    run_step(con, "charged_demand")
    run_step(con, "unit_margins")


def _grids(con: duckdb.DuckDBPyConnection, products: Arrays, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """The grid of every product; products with the same allowed endings are done together."""
    count = len(products["current_price"])
    prices, is_ending = np.empty((count, steps)), np.empty((count, steps), bool)
    groups = con.execute(
        """select endings_group, price_endings, any_value(names[7]) from priced_products
        group by all order by endings_group"""
    ).fetchall()
    for group, endings, rule in groups:
        rows = products["endings_group"] == group
        prices[rows], is_ending[rows] = price_grid(
            products["current_price"][rows],
            products["maximum_change_ratio"][rows],
            _read_endings(endings, rule),
            steps,
        )
    return prices, is_ending


def _read_endings(text: str, rule: str) -> list[float]:
    try:
        endings = [float(ending) for ending in text.split(",") if ending.strip()]
    except ValueError:
        endings = [-1.0]
    if any(not 0 <= ending < 1 for ending in endings):
        raise ValueError(f"{rule} says {text!r}: write endings of a price, comma separated, such as .99,.49")
    return endings


def _limits(products: Arrays) -> Limits:
    return Limits(
        is_locked=products["is_price_locked"].astype(bool),
        floor=products["price_floor"],
        ceiling=products["price_ceiling"],
        minimum_margin_ratio=products["minimum_margin_ratio"],
        maximum_change_ratio=products["maximum_change_ratio"],
        unit_cost=products["unit_cost"],
        stock_units=products["position_units"],
        stock_days=products["lead_time_days_p50"],
        week_units=products["week_units"],
    )


def _response(prices: np.ndarray, products: Arrays, demand: Arrays, elasticity: np.ndarray) -> Response:
    return respond(
        prices,
        products["unit_cost"],
        demand["product_row"],
        demand["demand_units_mean"],
        demand["price_assumed"],
        elasticity,
    )


def _then_now_and_modelled(prices: np.ndarray, choice: Choice, products: Arrays) -> np.ndarray:
    """(n, 3) the price to charge, the current one and the model's choice: a grid of its own, with the current price in
    its middle. A person's decision stands above the model and its guardrails."""
    rows = np.arange(len(prices))
    modelled, current = prices[rows, choice.column], prices[:, prices.shape[1] // 2]
    decided = products["decided_price"]
    return np.stack([np.where(np.isnan(decided), modelled, decided), current, modelled], axis=1)


def _pays_at_both_ends(prices: np.ndarray, products: Arrays, demand: Arrays) -> np.ndarray:
    """Whether the first price is at least as good as the current one at either end of the elasticity's 80% interval:
    then the change may be made without a person."""
    spread = Z_90 * products["elasticity_sd"][demand["product_row"]]
    ends = (np.minimum(demand["elasticity"] + shift, 0) for shift in (-spread, spread))
    money = [_response(prices, products, demand, elasticity).objective for elasticity in ends]
    return np.logical_and.reduce([objective[:, 0] >= objective[:, 1] for objective in money])


def _store_choices(
    con: duckdb.DuckDBPyConnection, prices: np.ndarray, choice: Choice, products: Arrays, demand: Arrays
) -> None:
    response = _response(prices, products, demand, demand["elasticity"])
    # The ending of a price that a person chose is that person's business.
    forbidden = first_forbidding(prices, response.units, np.ones(prices.shape, bool), _limits(products), HORIZON_DAYS)
    store(
        con,
        "price_choices",
        {
            "product_row": np.arange(len(prices)),
            "price_then": prices[:, 0],
            "price_modelled": prices[:, 2],
            "units_now": response.units[:, 1],
            "units_then": response.units[:, 0],
            "revenue_now": response.revenue[:, 1],
            "revenue_then": response.revenue[:, 0],
            "margin_now": response.margin[:, 1],
            "margin_then": response.margin[:, 0],
            "money_over_modelled": response.objective[:, 0] - response.objective[:, 2],
            "guardrail": choice.binding,
            "overruled_guardrail": forbidden[:, 0],
            "is_outside": forbidden[:, 1] != Guardrail.NONE,
            "is_robust": _pays_at_both_ends(prices, products, demand),
        },
    )


def _store_grid(con: duckdb.DuckDBPyConnection, prices: np.ndarray, response: Response, forbidden: np.ndarray) -> None:
    row, step = np.nonzero(~np.isnan(prices))
    store(
        con,
        "price_grid",
        {
            "product_row": row,
            "price": prices[row, step],
            "expected_units": response.units[row, step],
            "expected_revenue": response.revenue[row, step],
            "expected_margin": response.margin[row, step],
            "guardrail": forbidden[row, step],
        },
    )
