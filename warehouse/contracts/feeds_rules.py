"""Business policy as rows with a validity, not as code: what a manager may decide without a release.

Every rule names its `scope` (all, category or product, or user/head where it says so) and the `scope_id` it
applies to; the narrowest valid rule wins.
"""

from __future__ import annotations

from warehouse.contracts.table import Column, Table, day, money, not_before, number, ratio, text


def _scope(*words: str) -> tuple[Column, ...]:
    return (
        text("rule_id", "Id of the rule, quoted wherever it binds", required=True),
        text("scope", "What it applies to", required=True, one_of=words),
        text("scope_id", "Id within the scope; empty when the scope is all"),
        day("valid_from", "First day", required=True),
        day("valid_to", "First day after it; empty means open"),
    )


_ORDERED = (not_before("valid_to", "valid_from", severity="critical"),)

PRICING_RULES = Table(
    name="pricing_rules",
    grain="One row per pricing guardrail.",
    key=("rule_id",),
    columns=(
        *_scope("all", "category", "product"),
        ratio("minimum_margin_ratio", "Smallest (price - unit cost) / price"),
        money("price_floor", "Lowest price", low=0),
        money("price_ceiling", "Highest price", low=0),
        ratio("maximum_change_ratio", "Largest change from the current price, either way"),
        text("price_endings", "Allowed endings of a price, comma separated, such as .99,.49"),
    ),
    rules=_ORDERED,
)

RECOMMENDATION_RULES = Table(
    name="recommendation_rules",
    grain="One row per rule about what may be shown.",
    key=("rule_id",),
    columns=(
        *_scope("all", "category", "product", "brand"),
        text(
            "action",
            "exclude: never shown; boost: score multiplied by weight; cap: at most weight rows of one list",
            required=True,
            one_of=("exclude", "boost", "cap"),
        ),
        text("placement", "List that it applies to; empty means every list"),
        number("weight", "Multiplier of a boost or size of a cap", low=0),
    ),
    rules=_ORDERED,
)

INVENTORY_POLICIES = Table(
    name="inventory_policies",
    grain="One row per replenishment policy.",
    key=("rule_id",),
    columns=(
        *_scope("all", "category", "product"),
        ratio("service_level", "Share of cycles without a stock-out to aim for"),
        number("review_days", "Days between two orders", low=0),
        number("lead_time_days", "Days from order to receipt where no history exists", low=0),
        number("maximum_cover_days", "Most days of demand to hold", low=0),
        money("order_line_cost", "Cost of placing and receiving one line of an order to a supplier", low=0),
        number(
            "holding_cost_ratio", "Cost of holding stock for a year, spoilage included, as a share of its value", low=0
        ),
    ),
    rules=_ORDERED,
)

SERVICE_POLICIES = Table(
    name="service_policies",
    grain="One row per service-level promise.",
    key=("rule_id",),
    columns=(
        *_scope("all", "channel", "contact_reason"),
        ratio("service_level", "Share of contacts answered in time"),
        number("answer_within_minutes", "What in time means", low=0),
        number("solve_within_minutes", "Minutes until a contact must be solved", low=0),
        number("maximum_occupancy_ratio", "Busiest an agent may be", low=0, high=1),
        money("agent_hour_cost", "What an hour of an agent costs", low=0),
    ),
    rules=_ORDERED,
)

HEAD_PRIORITIES = Table(
    name="head_priorities",
    grain="One row per head and time in which the business weighs it differently.",
    key=("rule_id",),
    columns=(
        *_scope("head"),
        number("weight", "Multiplies the loss weight of the head", required=True, low=0),
    ),
    rules=_ORDERED,
)

RULE_FEEDS = (PRICING_RULES, RECOMMENDATION_RULES, INVENTORY_POLICIES, SERVICE_POLICIES, HEAD_PRIORITIES)
