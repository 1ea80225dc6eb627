"""Replenishment: order-up-to levels for every product, and orders where stock is known."""

from __future__ import annotations

import duckdb
import numpy as np

from mtl_models.decisions.replenishment import (
    DAYS,
    Policy,
    days_until,
    demand_over,
    order_levels,
    order_units,
    share_of_demand,
    weekly_variance,
)
from mtl_models.normal import Z_90
from tasks.decisions.context import Arrays, arrays, run_step, store, write

WEEKS = 4


def decide(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Fill replenishment_recommendations, and what lists and queue need to know of stock. Rows written."""
    run_step(con, "stocked_items")
    items = arrays(
        con,
        """select item_row, service_level, review_days, lead_time_days_p50, lead_time_days_p90, maximum_cover_days,
            minimum_order_units, order_multiple_units, position_units, week_units, days_on_sale, list_ratio,
            order_line_cost, unit_holding_cost_per_day, decided_units,
            is_marked_down or days_on_sale is not null as is_selling_out
        from stocked_items order by item_row""",
    )
    forecast, spread = _weekly_demand(con, len(items["item_row"]))
    mean, variance = items["list_ratio"][:, None] * forecast, items["list_ratio"][:, None] ** 2 * spread
    policy = _policy(items)
    position = items["position_units"]
    levels = order_levels(mean, variance, policy)
    orders = order_units(position, levels, policy)
    decided = items["decided_units"].astype(float)
    ordered = np.where(np.isnan(decided), orders.units, decided)
    # What lists would sell beyond the forecast is not lost: they show what there is to those to whom it is allotted.
    week = demand_over(np.full(len(mean), DAYS), forecast, spread)
    waiting = demand_over(policy.lead_time_days, mean, variance, policy.lead_time_spread)
    unserved = demand_over(policy.lead_time_days + policy.review_days, mean, variance, policy.lead_time_spread)
    store(
        con,
        "order_plans",
        {
            "item_row": items["item_row"],
            "reorder_point_units": levels.reorder_point,
            "order_up_to_units": levels.order_up_to,
            "cycle_days": levels.cycle_days,
            "recommended_order_units": ordered,
            "modelled_order_units": orders.units,
            # What the order serves beyond the model's.
            "units_served": unserved.expected_shortage(position + orders.units)
            - unserved.expected_shortage(position + ordered),
            "days_to_order": days_until(position, levels.reorder_point, mean),
            "stockout_probability": waiting.probability_above(position),
            "lost_units": unserved.expected_shortage(position),
            "in_stock_probability": 1 - week.probability_above(items["week_units"]),
            "is_capped": levels.is_capped,
            "is_minimum": orders.is_minimum,
            "is_multiple": orders.is_multiple,
            "is_held_down": orders.is_held_down,
        },
    )
    for step in ("in_stock_probabilities", "lost_sales"):
        run_step(con, step)
    rows = {"replenishment_recommendations": write(con, "replenishment_recommendations")}
    run_step(con, "decided_orders")
    return rows


def _weekly_demand(con: duckdb.DuckDBPyConnection, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each item's coming weeks, (items, weeks) each."""
    rows = arrays(
        con,
        """select item_row, horizon - 1 as week, site_share,
            demand_units_mean, demand_units_p10, demand_units_p90, demand_units_p95
        from charged_demand
        join stocked_items
            on stocked_items.product_id = charged_demand.product_id and forecast_site_id = charged_demand.site_id""",
    )
    mean, variance = np.zeros((count, WEEKS)), np.zeros((count, WEEKS))
    at = (rows["item_row"], rows["week"])
    units = {name: rows[f"demand_units_{name}"] for name in ("mean", "p10", "p90", "p95")}
    mean[at], variance[at] = share_of_demand(units["mean"], weekly_variance(**units), rows["site_share"])
    return mean, variance


def _policy(items: Arrays) -> Policy:
    return Policy(
        service_level=items["service_level"],
        review_days=items["review_days"],
        lead_time_days=items["lead_time_days_p50"],
        lead_time_spread=(items["lead_time_days_p90"] - items["lead_time_days_p50"]) / Z_90,
        maximum_cover_days=items["maximum_cover_days"],
        minimum_order_units=items["minimum_order_units"],
        order_multiple_units=items["order_multiple_units"],
        days_on_sale=items["days_on_sale"].astype(float),
        order_line_cost=items["order_line_cost"].astype(float),
        unit_holding_cost=items["unit_holding_cost_per_day"].astype(float),
        is_selling_out=items["is_selling_out"].astype(bool),
    )
