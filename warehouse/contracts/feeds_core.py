"""Feeds that every shop has: users, products, orders and their lines, behaviour."""

from __future__ import annotations

from warehouse.contracts.table import (
    Rule,
    Table,
    at_least_rows,
    day,
    flag,
    integer,
    moment,
    money,
    not_before,
    number,
    text,
)

EVENT_TYPES = (
    "view_item",
    "search",
    "add_to_cart",
    "remove_from_cart",
    "begin_checkout",
    "purchase",
    "add_to_wishlist",
    "review",
)

# Sums over two currencies are no money. Few such rows are set aside; many are a feed of another shop.
ONE_CURRENCY = Rule(
    name="currency_is_the_shop_s",
    kind="sql",
    columns=("currency",),
    violation=(
        "(currency is not null and currency <> (select currency from raw.orders where currency is not null "
        "group by currency order by count(*) desc, currency limit 1))"
    ),
    meaning="currency is that of most orders",
)

USERS = Table(
    name="users",
    grain="One row per person or household that may buy, under a pseudonymous id.",
    key=("user_id",),
    essential=True,
    columns=(
        text("user_id", "Pseudonymous id of the user", required=True, pii=True),
        moment("created_at", "When the user was first known"),
        text("country", "ISO country", pii=True),
        text("region", "Region within the country", pii=True),
        text("acquisition_channel", "Channel that brought the user"),
        text("age_band", "Age as a band, such as 25-34", pii=True),
        text("gender", "Gender as stated by the user", pii=True),
        text("income_band", "Income as a band, such as 50-74K", pii=True),
        number("household_size", "Persons in the household; 5 means five or more", low=1, high=20, pii=True),
        flag("has_marketing_consent", "Whether the user may be contacted; empty means not known"),
        moment("erased_at", "When erasure was asked for; the user is gone from the next night on"),
    ),
    rules=(at_least_rows(1), not_before("erased_at", "created_at")),
)

PRODUCTS = Table(
    name="products",
    grain="One row per sellable product.",
    key=("product_id",),
    essential=True,
    columns=(
        text("product_id", "Id of the product", required=True),
        text("product_title", "Name that people read"),
        text("brand", "Brand or manufacturer"),
        text("category", "Top-level category (department)"),
        text("category_path", "Path from the top-level category down, joined by ' > '"),
        text("supplier_id", "Main supplier"),
        money("list_price", "Regular price per unit", low=0),
        money("unit_cost", "Cost per unit", low=0),
        text("currency", "ISO currency of the money columns"),
        moment("launched_at", "When it was first sold"),
        moment("discontinued_at", "When it stops being sold"),
        flag("is_recommendable", "Whether it may be recommended; empty means yes"),
        flag("is_price_locked", "Whether its price must not be changed; empty means no"),
    ),
    rules=(at_least_rows(1), not_before("discontinued_at", "launched_at"), ONE_CURRENCY),
)

BEHAVIOUR_EVENTS = Table(
    name="behaviour_events",
    grain="One row per thing that a visitor did (GA4 event names).",
    key=("event_id",),
    event_column="event_at",
    columns=(
        text("event_id", "Id of the event", required=True),
        text("event_type", "What was done", required=True, one_of=EVENT_TYPES),
        moment("event_at", "When it was done", required=True),
        text("user_id", "User, when signed in", pii=True, references="users.user_id"),
        text("visitor_id", "Device or cookie, pseudonymous", pii=True),
        text("session_id", "Visit"),
        text("product_id", "Product", references="products.product_id"),
        number("quantity", "Units", low=0),
        money("price", "Price per unit that was shown", low=0),
        text("search_query", "Words searched for", pii=True),
        number("rating", "Stars of a review", low=1, high=5),
        text("recommendation_id", "Recommendation that was shown, as placement/user/rank"),
        text("channel", "Channel, such as web, app, store"),
        text("device_type", "Device, such as phone, desktop"),
    ),
)

ORDERS = Table(
    name="orders",
    grain="One row per order or till basket.",
    key=("order_id",),
    essential=True,
    event_column="ordered_at",
    columns=(
        text("order_id", "Id of the order", required=True),
        text("user_id", "Who ordered", required=True, pii=True, references="users.user_id"),
        moment("ordered_at", "When it was placed", required=True),
        text("status", "State of the order", one_of=("placed", "completed", "cancelled", "returned")),
        text("channel", "Channel, such as web, app, store"),
        text("currency", "ISO currency of the money columns"),
        money("subtotal", "Lines at regular price, before discounts"),
        money("discount_total", "All discounts, as a positive amount", low=0),
        money("shipping_total", "Shipping paid", low=0),
        money("tax_total", "Tax", low=0),
        money("order_total", "What the shop received", low=0, severity="warning"),
        text("coupon", "Coupon code, if any"),
        moment("cancelled_at", "When it was cancelled"),
    ),
    rules=(at_least_rows(1), not_before("cancelled_at", "ordered_at"), ONE_CURRENCY),
)

ORDER_LINES = Table(
    name="order_lines",
    grain="One row per product within an order.",
    key=("order_line_id",),
    essential=True,
    columns=(
        text("order_line_id", "Id of the line", required=True),
        text("order_id", "Order", required=True, references="orders.order_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
        text("ship_from_site_id", "Store or warehouse that it came from", references="sites.site_id"),
        number("quantity", "Units; 0 for a line that is money only", required=True, low=0),
        money("list_price", "Regular price per unit", low=0),
        money("sold_price", "Price per unit at the shelf, before the customer's own coupons", low=0),
        money("discount", "Regular price less shelf price, over the whole line", low=0, severity="warning"),
        money("line_total", "What the shop received for the line; empty means quantity x sold_price"),
        text("promotion_id", "Promotion that gave the price", references="promotions.promotion_id"),
        day("promised_delivery_date", "Day promised to the customer"),
        moment("shipped_at", "When it left"),
        moment("delivered_at", "When it arrived"),
        moment("returned_at", "When it came back"),
        money("refund_amount", "Refund paid", low=0),
    ),
    rules=(
        at_least_rows(1),
        not_before("delivered_at", "shipped_at"),
        not_before("returned_at", "delivered_at"),
        Rule(
            name="sold_price_not_above_list_price",
            kind="sql",
            columns=("sold_price", "list_price"),
            violation="sold_price > list_price + 0.01",
            meaning="the shelf price is at most the regular price",
            severity="info",
        ),
    ),
)

SITES = Table(
    name="sites",
    grain="One row per store or warehouse.",
    key=("site_id",),
    columns=(
        text("site_id", "Id of the site", required=True),
        text("site_type", "What it is", one_of=("store", "warehouse", "other")),
        text("region", "Region"),
    ),
)

SERVICE_TICKETS = Table(
    name="service_tickets",
    grain="One row per contact of a customer with service.",
    key=("ticket_id",),
    event_column="created_at",
    columns=(
        text("ticket_id", "Id of the ticket", required=True),
        text("user_id", "Who asked", pii=True, references="users.user_id"),
        text("order_id", "Order it is about", references="orders.order_id"),
        text("product_id", "Product it is about", references="products.product_id"),
        text("channel", "Channel, such as email, chat, phone", required=True),
        text("contact_reason", "Why, such as where_is_my_order, damaged, refund", required=True),
        text("priority", "Urgency", one_of=("low", "normal", "high", "urgent")),
        text("status", "State", one_of=("open", "pending", "solved", "closed")),
        moment("created_at", "When it was opened", required=True),
        moment("first_replied_at", "When it was first answered"),
        moment("solved_at", "When it was solved"),
        number("handle_minutes", "Minutes that agents spent", low=0),
        integer("reopen_count", "How often it was opened again", low=0),
        number("satisfaction_score", "Customer's score, 1 to 5", low=1, high=5),
    ),
    rules=(not_before("first_replied_at", "created_at"), not_before("solved_at", "created_at")),
)

CORE_FEEDS = (USERS, PRODUCTS, SITES, ORDERS, ORDER_LINES, BEHAVIOUR_EVENTS, SERVICE_TICKETS)
