-- One row per line of an order that stands, made before the night's as-of date: all that the night knows. Orders of
-- erased or unknown users count as demand and revenue, with no user: `user_id` and `user_index` are NULL. Money and
-- quantities stay decimal, so that sums do not depend on the order in which threads add.
create or replace temp table known_lines as
with standing_orders as (
    select
        orders.order_id,
        users.user_id,
        users.user_index,
        staging.business_date(orders.ordered_at) as business_date,
        orders.coupon is not null as has_order_coupon
    from raw.orders
    left join staging.users on users.user_id = orders.user_id
    where orders.status is distinct from 'cancelled' and orders.cancelled_at is null
),
priced_lines as (
    select
        *,
        cast(coalesce(line_total, quantity * sold_price, 0) as decimal(18, 4)) as paid
    from raw.order_lines
)
select
    standing_orders.user_id,
    standing_orders.user_index,
    standing_orders.order_id,
    standing_orders.business_date,
    priced_lines.product_id,
    products.product_index,
    coalesce(products.category, 'UNKNOWN') as category,
    coalesce(products.subcategory, 'UNKNOWN') as subcategory,
    coalesce(priced_lines.ship_from_site_id, 'unknown') as site_id,
    cast(priced_lines.quantity as decimal(18, 4)) as quantity,
    priced_lines.paid as line_total,
    cast(coalesce(priced_lines.discount, 0) as decimal(18, 4)) as discount,
    cast(priced_lines.sold_price as double) as sold_price,
    -- A shop without a regular price has its shelf price as one.
    cast(coalesce(priced_lines.list_price, priced_lines.sold_price) as double) as list_price,
    standing_orders.has_order_coupon,
    priced_lines.paid < priced_lines.quantity * priced_lines.sold_price - 0.005 as is_paid_below_shelf_price,
    -- An item is something that was sold for money and may be recommended: the lines of all product-level heads.
    coalesce(products.is_recommendable, false) and priced_lines.quantity > 0 and priced_lines.paid > 0 as is_item
from priced_lines
join standing_orders using (order_id)
left join staging.products using (product_id)
where standing_orders.business_date < getvariable('as_of_date');

-- Of these, what later tasks ask for.
create or replace table staging.order_lines as
select user_id, product_id, business_date, quantity, line_total, is_item
from known_lines;
