"""What people decided about the nights' recommendations: read back, so that the next night respects it."""

from __future__ import annotations

from warehouse.contracts.table import Rule, Table, day, moment, not_before, number, text

ACTIONS = ("accepted", "rejected", "overridden")
HEADS = ("profile", "recommendation", "pricing", "promotion", "supply", "service")

DECISIONS = Table(
    name="decisions",
    grain="One row per decision of a person about a recommendation; of one subject the latest counts.",
    key=("decision_id",),
    note="The subject is named by the columns that are filled, such as product_id alone: the product in all lists.",
    columns=(
        text("decision_id", "Id of the decision, quoted wherever it binds", required=True),
        text(
            "head",
            "Head that recommended it, as in the action queue; service is agents (channel, contact_reason) or a "
            "message (order_id), profile is a win-back (user_id)",
            required=True,
            one_of=HEADS,
        ),
        text("product_id", "Product of a price, an order or lists", references="products.product_id"),
        text("site_id", "Site of an order, or 'all'; a rejection without it is of every site"),
        text("user_id", "User; empty means every user", pii=True, references="users.user_id"),
        text("promotion_id", "Campaign of an offer", references="campaigns.campaign_id"),
        text("order_id", "Order that a message would be about", references="orders.order_id"),
        text("channel", "Channel that agents answer"),
        text("contact_reason", "Contact reason that agents answer"),
        text(
            "action",
            "accepted: counted; rejected: not recommended while valid; overridden: the value stands while valid",
            required=True,
            one_of=ACTIONS,
        ),
        number("value", "What stands instead: price per unit, units to order, agents", low=0),
        text("note", "Why, in the person's words"),
        text("decided_by", "Who, under a pseudonym", pii=True),
        moment("decided_at", "When; known to nights of later days", required=True),
        day("valid_until", "First day on which it no longer holds; required but of an acceptance"),
    ),
    rules=(
        Rule(
            name="override_has_a_value",
            kind="sql",
            columns=("action", "value", "head"),
            violation="(action = 'overridden' and (value is null or (head = 'pricing' and value <= 0)))",
            meaning="an override has a value, and a price is above 0",
        ),
        Rule(
            name="override_of_a_number",
            kind="sql",
            columns=("action", "head"),
            violation="(action = 'overridden' and head not in ('pricing', 'supply', 'service'))",
            meaning="prices, orders and agents can be overridden; anything else is accepted or rejected",
        ),
        Rule(
            name="end_is_said",
            kind="sql",
            columns=("action", "valid_until"),
            violation="(action <> 'accepted' and valid_until is null)",
            meaning="an override or a rejection says until when it holds",
        ),
        Rule(
            name="subject_is_named",
            kind="sql",
            columns=("head", "product_id", "site_id", "user_id", "promotion_id", "order_id"),
            violation=(
                "(case head when 'pricing' then product_id is null when 'recommendation' then product_id is null "
                "when 'supply' then product_id is null or (action = 'overridden' and site_id is null) "
                "when 'promotion' then promotion_id is null when 'profile' then user_id is null "
                "when 'service' then (action = 'overridden' or order_id is null) "
                "and (channel is null or contact_reason is null) else false end)"
            ),
            meaning="pricing, supply (an override: with site_id) and recommendation name a product_id, promotion a "
            "promotion_id, profile a user_id, service an order_id or channel and contact_reason",
        ),
        not_before("valid_until", "decided_at"),
    ),
)
