"""What `fivefold what-if` keeps (`scenarios`): the answer to each question, beside the night that it is about."""

from __future__ import annotations

from dataclasses import replace

from warehouse.contracts.table import Column, Table, day, flag, integer, moment, number, text

_SCENARIO = text("scenario_id", "Scenario, as in scenarios.summaries", required=True)
_UNCHANGED = "What is as in the night has no row."


def _both(column: Column) -> tuple[Column, Column]:
    """The column twice: as the night has it, and with the scenario."""
    night = replace(column, name=f"{column.name}_night", meaning=f"{column.meaning}: as the night has it")
    scenario = replace(column, name=f"{column.name}_scenario", meaning=f"{column.meaning}: with the scenario")
    return night, scenario


_UNITS = number("demand_units", "Expected demand in units", low=0)
_REVENUE = number("revenue", "Expected revenue")
_MARGIN = number("margin", "Expected margin; empty without costs")
_PRICE = Column(name="price", type="DECIMAL(18,4)", meaning="Price per unit, mean of the week")

SUMMARIES = Table(
    schema="scenarios",
    name="summaries",
    grain="One row per scenario: what was asked, of which night, and the sums over the whole shop.",
    key=("scenario_id",),
    note="The same question about the same night is the same scenario.",
    columns=(
        text("scenario_id", "Day of the night, and a hash of night and question", required=True),
        text("run_id", "Night that it was asked about", required=True),
        day("as_of_date", "The night knows what happened before this day", required=True),
        text("question", "The prices and promotions, as one could ask again", required=True),
        moment("asked_at", "When it was last asked", required=True),
        day("until_date", "First day after the horizon that is summed up", required=True),
        *_both(_UNITS),
        *_both(_REVENUE),
        *_both(number("margin", "Expected margin of products with a cost; empty without costs")),
        *_both(number("order_units", "Units to order tonight", low=0)),
        *_both(number("listed_purchases", "Purchases expected from the lists for_you", low=0)),
        *_both(number("contacts", "Expected contacts", low=0)),
        *_both(number("workload_hours", "Agent hours that they take", low=0)),
        integer("broken_promises", "Promises between heads that the scenario would break", low=0, required=True),
        text("first_broken_promise", "One of them with an example; empty if none"),
    ),
)

PRODUCTS = Table(
    schema="scenarios",
    name="products",
    grain="One row per scenario and product that is named in it or whose demand it changes: sums over the horizon.",
    key=("scenario_id", "product_id"),
    columns=(
        _SCENARIO,
        text("product_id", "Product", required=True),
        text("product_title", "Name that people read"),
        *_both(Column(name="price", type="DECIMAL(18,4)", meaning="Price per unit of the coming week")),
        *_both(Column(name="mean_price", type="DECIMAL(18,4)", meaning="Revenue per unit over the horizon")),
        *_both(_UNITS),
        *_both(_REVENUE),
        *_both(_MARGIN),
        *_both(number("order_units", "Units to order tonight, all sites; empty without stock data", low=0)),
        number("elasticity_p10", "Own-price elasticity: one chance in ten that it is lower"),
        number("elasticity_p50", "Own-price elasticity; -2 means 1% dearer sells 2% less"),
        number("elasticity_p90", "One chance in ten that it is higher", high=0),
        flag("is_elasticity_identified", "Whether the product's own prices have shown how demand reacts"),
        text("overruled_guardrail", "Guardrail that forbids this price to a night; empty if none"),
    ),
)

DEMAND = Table(
    schema="scenarios",
    name="demand",
    grain="One row per scenario, product, site and coming week whose price or demand changes.",
    key=("scenario_id", "product_id", "site_id", "forecast_date"),
    note=_UNCHANGED,
    columns=(
        _SCENARIO,
        text("product_id", "Product", required=True),
        text("site_id", "Site, or 'all'", required=True),
        day("forecast_date", "First day of the week", required=True),
        *_both(_PRICE),
        *_both(_UNITS),
        *_both(number("demand_units_p10", "Demand: one chance in ten of less", low=0)),
        *_both(number("demand_units_p90", "Demand: one chance in ten of more", low=0)),
        *_both(_REVENUE),
        *_both(_MARGIN),
    ),
)

ORDERS = Table(
    schema="scenarios",
    name="orders",
    grain="One row per scenario, product and site whose replenishment changes.",
    key=("scenario_id", "product_id", "site_id"),
    note=_UNCHANGED,
    columns=(
        _SCENARIO,
        text("product_id", "Product", required=True),
        text("site_id", "Site, or 'all'", required=True),
        *_both(number("order_units", "Units to order tonight; empty without stock data", low=0)),
        *_both(number("reorder_point_units", "Position at which to order", low=0)),
        *_both(number("order_up_to_units", "Position to order up to", low=0)),
        *_both(number("stockout_probability", "Probability of a stock-out before an order arrives", low=0)),
        *_both(number("expected_lost_margin", "Margin lost for want of stock if nothing is ordered")),
    ),
)

RECOMMENDATIONS = Table(
    schema="scenarios",
    name="recommendations",
    grain="One row per scenario, list and product that is shown to more or fewer users, or expected to sell otherwise.",
    key=("scenario_id", "placement", "product_id"),
    note=_UNCHANGED + " Users are counted, not named.",
    columns=(
        _SCENARIO,
        text("placement", "List", required=True),
        text("product_id", "Product", required=True),
        *_both(integer("users", "Lists that show it", low=0)),
        *_both(number("purchases", "Purchases expected in 28 days of those who are shown it", low=0)),
        *_both(number("margin", "Margin expected of them; empty without costs")),
    ),
)

CONTACTS = Table(
    schema="scenarios",
    name="contacts",
    grain="One row per scenario, coming day, channel and contact reason whose contacts change.",
    key=("scenario_id", "forecast_date", "channel", "contact_reason"),
    note=_UNCHANGED + " Contacts follow orders: they change as far as the shop's demand of that week does.",
    columns=(
        _SCENARIO,
        day("forecast_date", "Day", required=True),
        text("channel", "Channel", required=True),
        text("contact_reason", "Contact reason", required=True),
        *_both(number("contacts", "Expected contacts", low=0)),
        *_both(number("workload_hours", "Agent hours that they take", low=0)),
        *_both(integer("required_agents", "Agents needed for the promised service level", low=0)),
    ),
)

SCENARIO_TABLES = (SUMMARIES, PRODUCTS, DEMAND, ORDERS, RECOMMENDATIONS, CONTACTS)
