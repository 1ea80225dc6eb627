"""What is kept of each night's predictions until what they foretold has happened (schema `kept`).

Published files are kept for rollback, a fortnight of them; most predictions look further ahead. So each night keeps the
columns that can be held against the truth, for a fixed choice of users and products where there are many, with what
the naive baseline said of the same rows. Nobody reads them but `record_outcomes`.
"""

from __future__ import annotations

from warehouse.contracts import predictions as published
from warehouse.contracts.table import Column, Table, day, flag, integer, number, text

# A baseline's column and what it is.
BASELINES = {
    "base_spend_28d": "Naive: spend of the last 84 days / 3",
    "base_buys_28d": "Naive: 84-day rate of orders, as probability",
    "base_buys_7d": "Naive: the same for 7 days",
    "base_units": "Naive: mean of 4 weeks",
    "base_units_13w_p10": "Naive: quantile of 13 weeks",
    "base_units_13w_p50": "Naive: quantile of 13 weeks",
    "base_units_13w_p90": "Naive: quantile of 13 weeks",
    "base_units_13w_p95": "Naive: quantile of 13 weeks",
    "base_redeemed": "Naive: past redemption rate, smoothed",
    "base_contacts": "Naive: weekday mean of 8 weeks",
    "base_contacted": "Naive: share of recent orders with a contact",
    "base_handle_minutes": "Naive: mean by reason",
    "base_missed": "Naive: rate by reason",
}


def _kept(name: str, grain: str, key: tuple[str, ...], *columns: Column) -> Table:
    night = (
        text("run_id", "Night that published it", required=True),
        day("as_of_date", "Its as-of date", required=True),
        flag("is_fallback", "Whether an older model or a plain baseline stood in"),
    )
    return Table(schema="kept", name=name, grain=grain, key=("run_id", *key), columns=(*night, *columns))


def _of(table: Table, names: str, *baselines: str) -> Table:
    """Columns of a published table, with the same meaning, and baselines beside them."""
    columns = [table.column(name) for name in names.split()]
    columns += [number(name, BASELINES[name]) for name in baselines]
    return _kept(table.name, table.grain, table.key, *columns)


KEPT_TABLES = (
    _of(
        published.USER_PROFILES,
        "user_id expected_revenue_28d expected_revenue_28d_p10 expected_revenue_28d_p50 expected_revenue_28d_p90 "
        "order_probability_7d order_probability_28d churn_probability_90d contact_probability_28d",
        "base_spend_28d",
        "base_buys_28d",
        "base_buys_7d",
    ),
    _of(published.PRODUCT_RECOMMENDATIONS, "placement user_id rank product_id purchase_probability expected_margin"),
    _kept(
        "popular_products",
        "One row per product among the best sellers of the days before, later ones counting more: the naive list.",
        ("rank",),
        integer("rank", "1 sold most", required=True, low=1),
        text("product_id", "Product", required=True),
    ),
    _of(
        published.PRICE_RECOMMENDATIONS,
        "product_id current_price recommended_price elasticity_p50 expected_margin_now expected_margin_then "
        "review_status",
    ),
    _of(
        published.PROMOTION_RECOMMENDATIONS,
        "user_id promotion_id redemption_probability is_recommended",
        "base_redeemed",
    ),
    _of(
        published.DEMAND_FORECASTS,
        "product_id site_id forecast_date demand_units_p10 demand_units_p50 demand_units_p90 demand_units_p95 "
        "demand_units_mean price_assumed",
        "base_units",
        "base_units_13w_p10",
        "base_units_13w_p50",
        "base_units_13w_p90",
        "base_units_13w_p95",
    ),
    _of(
        published.REPLENISHMENT_RECOMMENDATIONS,
        "product_id site_id lead_time_days_p50 order_up_to_units stockout_probability exception_type",
    ),
    _of(
        published.SERVICE_FORECASTS,
        "forecast_date channel contact_reason contacts_mean contacts_p10 contacts_p50 contacts_p90 workload_hours",
        "base_contacts",
    ),
    _of(published.ORDER_CONTACT_RISKS, "order_id contact_probability return_probability", "base_contacted"),
    _of(
        published.TICKET_PREDICTIONS,
        "ticket_id expected_handle_minutes sla_breach_probability",
        "base_handle_minutes",
        "base_missed",
    ),
)
