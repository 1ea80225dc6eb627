"""The tables that people query in the morning (schema `predictions`)."""

from __future__ import annotations

from warehouse.contracts.table import (
    Column,
    Rule,
    Table,
    day,
    flag,
    integer,
    moment,
    money,
    number,
    numbers_finite,
    ratio,
    text,
)

EVIDENCE_LEVELS = ("own_history", "similar", "prior", "assumed")

COMMON = (
    text("run_id", "Night that wrote the row", required=True),
    day("as_of_date", "The night knows what happened before this day", required=True),
    text("model_version", "Model that made it, as run id and content hash", required=True),
    text(
        "evidence_level",
        "What it rests on: own_history, similar (users or products like it), prior (the whole shop), assumed",
        required=True,
        one_of=EVIDENCE_LEVELS,
    ),
    flag("is_fallback", "Whether an older model or a plain baseline stands in", required=True),
    text("primary_reason", "The main reason, in words", required=True),
    moment("predicted_at", "When it was computed", required=True),
)
# Of these, what tells of the run and not of the night: all else is equal when a night is made again.
OF_THE_RUN = frozenset({"run_id", "model_version", "predicted_at"})


# How a user is treated, on every row that concerns one.
TREATMENT = (
    flag("is_holdout", "Whether the user is held out of the model's decisions, to measure them", required=True),
    text("variant", "Variants that the user is in, as experiment/variant, comma separated; empty if none"),
)
DECISION = text("decision_id", "Decision of a person that the row follows (feed `decisions`); empty if none")


def _published(
    name: str,
    grain: str,
    key: tuple[str, ...],
    *columns: Column,
    note: str = "",
    rules: tuple[Rule, ...] = (),
) -> Table:
    return Table(
        schema="predictions",
        name=name,
        grain=grain,
        key=key,
        columns=(*columns, *COMMON),
        note=note,
        rules=(numbers_finite(columns), *rules),
    )


def _ordered(prefix: str) -> Rule:
    low, mid, high = f"{prefix}_p10", f"{prefix}_p50", f"{prefix}_p90"
    return Rule(
        name=f"{prefix}_quantiles_ordered",
        kind="sql",
        columns=(low, mid, high),
        violation=f"{low} > {mid} or {mid} > {high}",
        meaning=f"{low} <= {mid} <= {high}",
    )


USER_PROFILES = _published(
    "user_profiles",
    "One row per known user.",
    ("user_id",),
    text("user_id", "User", required=True, pii=True),
    text("currency", "ISO currency of the money columns"),
    number(
        "expected_revenue_28d",
        "Money the user is expected to spend in the next 28 days",
        required=True,
        low=0,
    ),
    number("expected_revenue_28d_p10", "One chance in ten that it is less", low=0),
    number("expected_revenue_28d_p50", "As likely less as more", low=0),
    number("expected_revenue_28d_p90", "One chance in ten that it is more", low=0),
    ratio("order_probability_7d", "Probability of an order in the next 7 days"),
    ratio("order_probability_28d", "Probability of an order in the next 28 days", required=True),
    ratio("churn_probability_90d", "Probability of no order in the next 90 days"),
    integer("purchasing_power_decile", "1 (lowest) to 10 by expected revenue", low=1, high=10),
    Column(
        name="interests",
        type="STRUCT(category VARCHAR, share DOUBLE)[]",
        meaning="Top categories with their expected share of spend, largest first",
    ),
    ratio("discount_sensitivity", "Expected share of spend that is bought at a discount"),
    ratio("contact_probability_28d", "Probability of contacting service in 28 days; empty while not ready"),
    text("segment_name", "Group by value and activity, in words"),
    text("lifecycle_stage", "new, active, cooling, lapsing, lapsed"),
    flag("is_contactable", "Whether marketing may contact the user", required=True),
    *TREATMENT,
    rules=(_ordered("expected_revenue_28d"),),
)

PRODUCT_RECOMMENDATIONS = _published(
    "product_recommendations",
    "One row per list, user and position; user_id 'everyone' serves unknown visitors.",
    ("placement", "user_id", "rank"),
    text("placement", "List: for_you, buy_again, new_to_you, popular", required=True),
    text("user_id", "User, or 'everyone'", required=True, pii=True),
    integer("rank", "Position, 1 is first", required=True, low=1),
    text("product_id", "Product", required=True),
    number("score", "What the list is ordered by: what it would earn, less for what everybody buys", required=True),
    ratio("purchase_probability", "Probability that the user buys it within 28 days", required=True),
    text("strategy", "Where the candidate came from: history, similar_products, popular"),
    number("expected_margin", "Purchase probability times unit margin; empty without costs"),
    ratio("in_stock_probability", "Probability that it is in stock; empty without inventory"),
    text("predicted_quality", "bad, medium or good; empty while not ready", one_of=("bad", "medium", "good")),
    text("applied_rule", "Recommendation rule that changed the row"),
    flag("is_exploration", "Whether it is shown to learn", required=True),
    *TREATMENT,
)

PRICE_RECOMMENDATIONS = _published(
    "price_recommendations",
    "One row per product with a price.",
    ("product_id",),
    text("product_id", "Product", required=True),
    text("currency", "ISO currency of the money columns"),
    money("current_price", "Shelf price per unit now", low=0, required=True),
    money("recommended_price", "Shelf price per unit to set", low=0, required=True),
    number("elasticity_p10", "Own-price elasticity: one chance in ten that it is lower"),
    number("elasticity_p50", "Own-price elasticity; -2 means 1% dearer sells 2% less"),
    number("elasticity_p90", "One chance in ten that it is higher", high=0),
    flag(
        "is_elasticity_identified",
        "Whether the prices of the product and its category moved enough to know",
        required=True,
    ),
    number("expected_units_now", "Units in the next 28 days at the current price", low=0),
    number("expected_units_then", "Units in the next 28 days at the recommended price", low=0),
    number("expected_revenue_now", "Money in 28 days at the current price", low=0),
    number("expected_revenue_then", "Money in 28 days at the recommended price", low=0),
    number("expected_margin_now", "Margin in 28 days at the current price; empty without costs"),
    number("expected_margin_then", "Margin in 28 days at the recommended price; empty without costs"),
    text("binding_rule", "Guardrail that stopped the price from moving further; empty if none"),
    text("review_status", "What a person should do", one_of=("hold", "auto_apply", "needs_review")),
    DECISION,
    rules=(_ordered("elasticity"),),
)

PRICE_RESPONSES = _published(
    "price_responses",
    "One row per product and price of its grid: the what-if.",
    ("product_id", "price"),
    text("product_id", "Product", required=True),
    money("price", "Shelf price per unit", required=True, low=0),
    number("expected_units", "Units in the next 28 days", low=0, required=True),
    number("expected_revenue", "Money in 28 days", low=0, required=True),
    number("expected_margin", "Margin in 28 days; empty without costs"),
    flag("is_allowed", "Whether every guardrail allows the price", required=True),
    text("binding_rule", "Guardrail that forbids it; empty if none"),
)

PROMOTION_RECOMMENDATIONS = _published(
    "promotion_recommendations",
    "One row per user and running or coming campaign.",
    ("user_id", "promotion_id"),
    text("user_id", "User", required=True, pii=True),
    text("promotion_id", "Campaign", required=True),
    ratio("redemption_probability", "Probability that the user redeems a coupon of it", required=True),
    number(
        "uplift",
        "Probability of an order with the offer less without; negative where it puts off; empty while not identified",
        low=-1,
        high=1,
    ),
    number("expected_margin_gain", "Expected gain of offering it; empty without costs"),
    flag("is_recommended", "Whether to offer it to this user", required=True),
    *TREATMENT,
    DECISION,
)

DEMAND_FORECASTS = _published(
    "demand_forecasts",
    "One row per product, site and coming 7-day period.",
    ("product_id", "site_id", "forecast_date"),
    text("product_id", "Product", required=True),
    text("site_id", "Site, or 'all' for the whole shop", required=True),
    day("forecast_date", "First day of the 7-day period", required=True),
    integer("period_days", "Length of the period in days", required=True, low=1),
    number("demand_units_p10", "Units: one chance in ten of less", required=True, low=0),
    number("demand_units_p50", "Units: as likely less as more", required=True, low=0),
    number("demand_units_p90", "Units: one chance in ten of more", required=True, low=0),
    number("demand_units_p95", "Units: one chance in twenty of more", low=0),
    number("demand_units_mean", "Expected units", required=True, low=0),
    money("price_assumed", "Shelf price per unit that the forecast assumes", low=0),
    flag("is_promoted", "Whether a promotion is planned in the period"),
    rules=(_ordered("demand_units"),),
)

REPLENISHMENT_RECOMMENDATIONS = _published(
    "replenishment_recommendations",
    "One row per product and site.",
    ("product_id", "site_id"),
    text("product_id", "Product", required=True),
    text("site_id", "Site, or 'all' for the whole shop", required=True),
    number("inventory_position_units", "On hand plus incoming less committed; empty without inventory"),
    number("lead_time_days_p50", "Days from order to receipt: as likely less as more", low=0),
    number("lead_time_days_p90", "Days from order to receipt: one chance in ten of more", low=0),
    number("reorder_point_units", "Order when the position falls to this", low=0, required=True),
    number("order_up_to_units", "Order up to this position", low=0, required=True),
    number("recommended_order_units", "Units to order now; empty without inventory", low=0),
    day("order_by_date", "Last day to order; empty without inventory"),
    ratio("stockout_probability", "Probability of a stock-out before the next receipt; empty without inventory"),
    number("expected_lost_margin", "Margin at stake if nothing is ordered; empty without inventory or costs"),
    text(
        "exception_type",
        "What is unusual",
        one_of=("none", "stockout_risk", "overstock", "no_inventory_data"),
    ),
    text("binding_rule", "Minimum, multiple or cap that shaped the order; empty if none"),
    DECISION,
)

SERVICE_FORECASTS = _published(
    "service_forecasts",
    "One row per coming day, channel and contact reason.",
    ("forecast_date", "channel", "contact_reason"),
    day("forecast_date", "Day", required=True),
    text("channel", "Channel", required=True),
    text("contact_reason", "Why customers get in touch", required=True),
    number("contacts_mean", "Expected contacts", low=0),
    number("contacts_p10", "Contacts: one chance in ten of less", low=0),
    number("contacts_p50", "Contacts: as likely less as more", low=0),
    number("contacts_p90", "Contacts: one chance in ten of more", low=0),
    number("workload_hours", "Agent hours that they take", low=0),
    integer("required_agents", "Agents needed for the promised service level", low=0),
    DECISION,
)

ORDER_CONTACT_RISKS = _published(
    "order_contact_risks",
    "One row per recent order that may still lead to a contact.",
    ("order_id",),
    text("order_id", "Order", required=True),
    ratio("contact_probability", "Probability of a contact about it", required=True),
    ratio("return_probability", "Probability that something comes back"),
    text("likely_reason", "Most likely reason"),
    text("suggested_action", "What to do first"),
    flag("is_message_worthwhile", "Whether a message to the customer saves more of agents' time than it costs"),
    number("expected_saving", "Money that the message is expected to save beyond its cost", low=0),
    *TREATMENT,
    DECISION,
)

TICKET_PREDICTIONS = _published(
    "ticket_predictions",
    "One row per open ticket.",
    ("ticket_id",),
    text("ticket_id", "Ticket", required=True),
    text("predicted_priority", "Urgency", one_of=("low", "normal", "high", "urgent")),
    number("expected_handle_minutes", "Minutes it will take", low=0),
    ratio("sla_breach_probability", "Probability that the promise is missed"),
    *TREATMENT,
)

ACTION_QUEUE = _published(
    "action_queue",
    "One row per action worth taking, most valuable first.",
    ("rank",),
    integer("rank", "1 is first", required=True, low=1),
    text("head", "Head that proposes it", required=True),
    text("action", "What to do, in words", required=True),
    text("object_type", "user, product, promotion, order", required=True),
    text("object_id", "Its id", required=True),
    day("do_by_date", "Last sensible day", required=True),
    number("value_at_stake", "Money in 28 days that the action is worth", low=0),
    text("value_basis", "margin, or revenue where costs are not known", one_of=("margin", "revenue")),
)

PUBLISHED_TABLES = (
    USER_PROFILES,
    PRODUCT_RECOMMENDATIONS,
    PRICE_RECOMMENDATIONS,
    PRICE_RESPONSES,
    PROMOTION_RECOMMENDATIONS,
    DEMAND_FORECASTS,
    REPLENISHMENT_RECOMMENDATIONS,
    SERVICE_FORECASTS,
    ORDER_CONTACT_RISKS,
    TICKET_PREDICTIONS,
    ACTION_QUEUE,
)
