"""Feeds about stock, suppliers, prices and promotions."""

from __future__ import annotations

from warehouse.contracts.table import (
    Column,
    Table,
    day,
    integer,
    moment,
    money,
    not_before,
    number,
    text,
)

INVENTORY_SNAPSHOTS = Table(
    name="inventory_snapshots",
    grain="One row per day, site and product: the stock at the end of the day.",
    key=("snapshot_date", "site_id", "product_id"),
    event_column="snapshot_date",
    columns=(
        day("snapshot_date", "Day", required=True),
        text("site_id", "Site", required=True, references="sites.site_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
        number("on_hand_units", "Units in the building", low=0),
        number("committed_units", "Units promised to orders", low=0),
        number("available_units", "Units that can be promised"),
        number("incoming_units", "Units ordered and not yet received", low=0),
        number("out_of_stock_hours", "Hours of the day without stock", low=0, high=24),
    ),
)

PURCHASE_ORDER_LINES = Table(
    name="purchase_order_lines",
    grain="One row per product ordered from a supplier.",
    key=("purchase_order_line_id",),
    event_column="ordered_at",
    columns=(
        text("purchase_order_line_id", "Id of the line", required=True),
        text("purchase_order_id", "Purchase order", required=True),
        text("supplier_id", "Supplier", required=True, references="suppliers.supplier_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
        text("ship_to_site_id", "Site that receives it", references="sites.site_id"),
        moment("ordered_at", "When it was ordered", required=True),
        number("quantity_submitted", "Units ordered", low=0, required=True),
        number("quantity_received", "Units received so far", low=0),
        day("expected_delivery_date", "Day the supplier promised"),
        moment("received_at", "When it was received"),
        money("unit_cost", "Cost per unit", low=0),
    ),
    rules=(not_before("received_at", "ordered_at"),),
)

SUPPLIERS = Table(
    name="suppliers",
    grain="One row per supplier.",
    key=("supplier_id",),
    columns=(
        text("supplier_id", "Id of the supplier", required=True),
        text("supplier_name", "Name that people read"),
        text("region", "Region"),
    ),
)

SUPPLIER_PRODUCTS = Table(
    name="supplier_products",
    grain="One row per supplier and product that it can deliver.",
    key=("supplier_id", "product_id"),
    columns=(
        text("supplier_id", "Supplier", required=True, references="suppliers.supplier_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
        money("unit_cost", "Cost per unit", low=0),
        number("minimum_order_units", "Smallest order", low=0),
        number("order_multiple_units", "Orders are multiples of this many units", low=0),
        number("planned_lead_time_days", "Days from order to receipt, as agreed", low=0),
    ),
)

PRICE_CHANGES = Table(
    name="price_changes",
    grain="One row per product and moment from which a price holds.",
    key=("product_id", "valid_from"),
    event_column="valid_from",
    columns=(
        text("product_id", "Product", required=True, references="products.product_id"),
        moment("valid_from", "From when", required=True),
        moment("valid_to", "Until when; empty means open"),
        money("price", "Shelf price per unit", required=True, low=0),
        money("list_price", "Regular price per unit", low=0),
    ),
    rules=(not_before("valid_to", "valid_from"),),
)

PROMOTIONS = Table(
    name="promotions",
    grain="One row per promotion: a time in which some products are shown or sold in a special way.",
    key=("promotion_id",),
    event_column="starts_at",
    columns=(
        text("promotion_id", "Id of the promotion", required=True),
        moment("announced_at", "When it was planned; features before that moment do not see it"),
        moment("starts_at", "First moment", required=True),
        moment("ends_at", "First moment after it", required=True),
        text(
            "discount_type",
            "What is offered",
            one_of=("percent", "amount", "fixed_price", "placement", "mixed"),
        ),
        number("discount_value", "Size of the offer in the unit of discount_type", low=0),
        text("channel", "Where it shows: display, mailer, display_mailer, web, email, ..."),
        text("placement", "Position within the channel, such as front page or end of aisle"),
    ),
    rules=(not_before("ends_at", "starts_at", severity="critical"), not_before("starts_at", "announced_at")),
)

PROMOTION_PRODUCTS = Table(
    name="promotion_products",
    grain="One row per promotion and product.",
    key=("promotion_id", "product_id"),
    columns=(
        text("promotion_id", "Promotion", required=True, references="promotions.promotion_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
        Column(
            name="site_ids",
            type="VARCHAR[]",
            meaning="Sites where the promotion runs; empty means everywhere",
        ),
    ),
)

CAMPAIGNS = Table(
    name="campaigns",
    grain="One row per campaign that offers coupons to chosen users.",
    key=("campaign_id",),
    event_column="starts_at",
    columns=(
        text("campaign_id", "Id of the campaign", required=True),
        text("campaign_type", "Kind of campaign"),
        moment("starts_at", "First moment", required=True),
        moment("ends_at", "First moment after it", required=True),
        number("discount_value", "Value of a redeemed coupon, money", low=0),
        integer("coupon_count", "Different coupons in the campaign", low=0),
    ),
    rules=(not_before("ends_at", "starts_at", severity="critical"),),
)

CAMPAIGN_PRODUCTS = Table(
    name="campaign_products",
    grain="One row per campaign and product that its coupons cover.",
    key=("campaign_id", "product_id"),
    columns=(
        text("campaign_id", "Campaign", required=True, references="campaigns.campaign_id"),
        text("product_id", "Product", required=True, references="products.product_id"),
    ),
)

CAMPAIGN_TARGETS = Table(
    name="campaign_targets",
    grain="One row per campaign and user who was offered it.",
    key=("campaign_id", "user_id"),
    columns=(
        text("campaign_id", "Campaign", required=True, references="campaigns.campaign_id"),
        text("user_id", "User", required=True, pii=True, references="users.user_id"),
    ),
)

REDEMPTIONS = Table(
    name="redemptions",
    grain="One row per coupon that a user redeemed.",
    key=("redemption_id",),
    event_column="redeemed_at",
    columns=(
        text("redemption_id", "Id of the redemption", required=True),
        text("campaign_id", "Campaign", required=True, references="campaigns.campaign_id"),
        text("user_id", "User", required=True, pii=True, references="users.user_id"),
        text("coupon_id", "Coupon"),
        text("order_id", "Order in which it was redeemed"),
        moment("redeemed_at", "When", required=True),
        money("discount", "Money off", low=0),
    ),
)

SUPPLY_FEEDS = (
    INVENTORY_SNAPSHOTS,
    SUPPLIERS,
    SUPPLIER_PRODUCTS,
    PURCHASE_ORDER_LINES,
    PRICE_CHANGES,
    PROMOTIONS,
    PROMOTION_PRODUCTS,
    CAMPAIGNS,
    CAMPAIGN_PRODUCTS,
    CAMPAIGN_TARGETS,
    REDEMPTIONS,
)
