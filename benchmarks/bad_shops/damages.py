"""What can befall a shop overnight, as SQL over its feeds; `as_of` is the night's date."""

from __future__ import annotations

# Feeds, and when a row of each happened.
ENDING = {
    "behaviour_events": "event_at",
    "inventory_snapshots": "snapshot_date",
    "orders": "ordered_at",
    "price_changes": "valid_from",
    "purchase_order_lines": "ordered_at",
    "redemptions": "redeemed_at",
    "service_tickets": "created_at",
}
OPTIONAL = (
    *("behaviour_events", "campaign_products", "campaign_targets", "campaigns", "inventory_policies"),
    *("inventory_snapshots", "price_changes", "pricing_rules", "promotion_products", "promotions"),
    *("purchase_order_lines", "recommendation_rules", "redemptions", "service_policies", "service_tickets"),
    *("sites", "supplier_products", "suppliers"),
)
OFFERS = ("promotions", "promotion_products", "campaigns", "campaign_products", "campaign_targets", "redemptions")
_LONE_LINES = "delete from order_lines where order_id not in (select order_id from orders);"
_OF_NO_PRODUCT = "".join(
    f"delete from {feed} where product_id not in (select product_id from products);"
    for feed in ("order_lines", "behaviour_events", "inventory_snapshots", "price_changes", "promotion_products",
                 "campaign_products", "purchase_order_lines", "supplier_products")
)  # fmt: skip
_NO_STOCK = "on_hand_units = 0, available_units = 0, committed_units = 0, incoming_units = 0, out_of_stock_hours = 24"

DAMAGES = {
    "nothing": "",
    **{
        f"{feed} end 60 days ago": f"delete from {feed} where {moment} >= as_of() - interval 60 day; {_LONE_LINES}"
        for feed, moment in ENDING.items()
    },
    **{f"no {feed}": f"drop table {feed}" for feed in ("inventory_snapshots", "price_changes", "service_tickets")},
    "essential feeds alone": ";".join(f"drop table {feed}" for feed in OPTIONAL),
    "a single user": """
        create temp table one as select min(user_id) as user_id from users;
        update orders set user_id = (from one); update service_tickets set user_id = (from one);
        update behaviour_events set user_id = (from one) where user_id is not null;
        delete from users where user_id <> (from one);
        delete from campaign_targets where user_id <> (from one);
        delete from redemptions where user_id <> (from one)""",
    "a single product": f"""
        delete from products where product_id <> (select mode(product_id order by product_id) from order_lines);
        {_OF_NO_PRODUCT} delete from orders where order_id not in (select order_id from order_lines)""",
    "no promotions": ";".join(f"drop table {feed}" for feed in OFFERS),
    "no price ever moved": """
        drop table promotions; drop table promotion_products;
        update order_lines set sold_price = products.list_price, list_price = products.list_price, discount = 0
        from products where products.product_id = order_lines.product_id;
        delete from price_changes where (product_id, valid_from) not in
            (select product_id, min(valid_from) from price_changes group by product_id);
        update price_changes set valid_to = null, price = products.list_price, list_price = products.list_price
        from products where products.product_id = price_changes.product_id""",
    "everything out of stock, always": f"update inventory_snapshots set {_NO_STOCK}",
    "everything out of stock, tonight": f"""
        update inventory_snapshots set {_NO_STOCK} where snapshot_date >= as_of() - interval 2 day""",
    "ten times the orders overnight": """
        create temp table newest as from orders where ordered_at >= as_of() - interval 1 day;
        create temp table their_lines as from order_lines semi join newest using (order_id);
        insert into orders by name
        select newest.* replace (order_id || '-' || copy as order_id) from newest, range(9) as copies (copy);
        insert into order_lines by name
        select their_lines.* replace (
            order_id || '-' || copy as order_id, order_line_id || '-' || copy as order_line_id
        )
        from their_lines, range(9) as copies (copy)""",
    "an all-new catalogue, the old one discontinued": """
        update products set discontinued_at = as_of() - interval 1 day;
        insert into products by name
        select * replace ('new-' || product_id as product_id, as_of() - interval 1 day as launched_at,
            null as discontinued_at) from products""",
    "an all-new catalogue, the old one unknown": """
        update products set product_id = 'new-' || product_id, launched_at = as_of() - interval 1 day""",
    "all-new users": "update users set user_id = 'new-' || user_id, created_at = as_of() - interval 1 day",
    "every user asked to be erased": "update users set erased_at = as_of() - interval 1 day",
    "nothing sold for four weeks": f"delete from orders where ordered_at >= as_of() - interval 28 day; {_LONE_LINES}",
    "everybody buys one thing daily": """
        delete from orders; delete from order_lines;
        insert into orders by name
        select user_id || '-' || day as order_id, user_id, 'completed' as status, 'EUR' as currency, 5 as order_total,
            as_of() - to_days(cast(day as integer)) + interval 12 hour as ordered_at
        from users, range(1, 150) as days (day);
        insert into order_lines by name
        select order_id as order_line_id, order_id, (select min(product_id) from products) as product_id,
            1 as quantity, 5 as list_price, 5 as sold_price, 0 as discount
        from orders""",
    "labels of no number": """
        update service_tickets set handle_minutes = 'nan';
        update behaviour_events set rating = 'nan' where rating > 0""",
    "labels without end": "update service_tickets set handle_minutes = 'inf'",
    "labels all alike": """
        update service_tickets set handle_minutes = 5, priority = 'normal', channel = 'email';
        update behaviour_events set rating = 5 where rating > 0""",
    "every coupon redeemed": """
        delete from redemptions;
        insert into redemptions by name
        select campaign_id || user_id as redemption_id, campaign_id, user_id, starts_at + interval 1 day as redeemed_at
        from campaign_targets join campaigns using (campaign_id) where starts_at + interval 1 day < as_of()""",
    "hardly a coupon redeemed": """
        delete from redemptions where redeemed_at > (select min(redeemed_at) from redemptions)""",
    "every order contacted": """
        delete from service_tickets;
        insert into service_tickets by name
        select order_id as ticket_id, order_id, user_id, 'email' as channel, 'late' as contact_reason,
            'normal' as priority, 'solved' as status, ordered_at + interval 1 day as created_at, 5 as handle_minutes
        from orders where ordered_at + interval 1 day < as_of()""",
    "everything free": """
        update order_lines set sold_price = 0, list_price = 0, discount = 0;
        update products set list_price = 0, unit_cost = 0; update price_changes set price = 0, list_price = 0""",
    "products without a word or a price": """
        update products set unit_cost = null, list_price = null, category = null, category_path = null, brand = null,
            supplier_id = null""",
    "one line of a million units": """
        update order_lines set quantity = 1000000
        where order_line_id = (select max(order_line_id) from order_lines)""",
    "everything returned": """
        update order_lines set returned_at = delivered_at + interval 1 day where delivered_at is not null""",
    "every late order cancelled": """
        update orders set status = 'cancelled', cancelled_at = ordered_at + interval 1 hour
        where ordered_at >= as_of() - interval 40 day""",
}
# Nothing can be said then: a gate has to stop these nights.
STOPPING = {"every user asked to be erased"}
