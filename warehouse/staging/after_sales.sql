-- What happens after a sale. First one row per order that stands and whose user is known: its size, its main product
-- (most money), and the days on which all of it was promised, shipped and delivered and the first of it came back.
create or replace temp table order_facts as
with deliveries as (
    select
        order_id,
        max(promised_delivery_date) as promised_date,
        case when count(shipped_at) = count(*) then max(staging.business_date(shipped_at)) end as shipped_date,
        case when count(delivered_at) = count(*) then max(staging.business_date(delivered_at)) end as delivered_date,
        min(staging.business_date(returned_at)) as returned_date
    from raw.order_lines
    group by order_id
),
orders as (
    select
        order_id,
        any_value(user_id) as user_id,
        any_value(business_date) as business_date,
        arg_max(site_id, (line_total, site_id)) as site_id,
        arg_max(product_id, (is_item, line_total, product_id)) as product_id,
        count(*) as lines,
        sum(quantity) as units,
        sum(line_total) as spend,
        sum(discount) as discount
    from known_lines
    where user_id is not null
    group by order_id
)
select
    *,
    row_number() over (partition by user_id order by business_date, order_id) = 1 as is_first_order
from orders
left join deliveries using (order_id);

-- One row per ticket that was opened before as-of, whoever asked. One that names no product is about the main product
-- of its order.
create or replace temp table known_contacts as
select
    ticket_id,
    users.user_id,
    order_id,
    coalesce(tickets.product_id, order_facts.product_id) as product_id,
    channel,
    contact_reason,
    priority,
    created_at,
    staging.business_date(created_at) as created_date,
    first_replied_at,
    solved_at,
    handle_minutes
from raw.service_tickets as tickets
left join staging.users on users.user_id = tickets.user_id
left join order_facts using (order_id)
where staging.business_date(created_at) < getvariable('as_of_date');

-- Of these, what known users asked.
create or replace temp table known_tickets as select * from known_contacts where user_id is not null;

-- One row per thing that happened to a product at somebody's: it was bought, sent back, asked about or rated. Where
-- nobody asks and nobody rates, what was bought is beside the point.
create or replace temp table after_sales as
select user_id, product_id, business_date, 1 as lines, 0 as returns, 0 as contacts, cast(null as decimal(3, 1)) as stars
from known_lines
where user_id is not null
    and (exists (from known_contacts) or exists (from raw.behaviour_events where event_type = 'review'))
union all
select user_id, lines.product_id, staging.business_date(returned_at), 0, 1, 0, null
from raw.order_lines as lines
join order_facts using (order_id)
where staging.business_date(returned_at) < getvariable('as_of_date')
union all
select user_id, product_id, created_date, 0, 0, 1, null
from known_tickets
union all
select user_id, product_id, staging.business_date(event_at), 0, 0, 0, rating
from raw.behaviour_events
where event_type = 'review' and rating is not null and staging.business_date(event_at) < getvariable('as_of_date');

-- Of these, totals so far: one row per product and day, per user and day, and per day. Seen from a day, the row that
-- stands is the last one before it.
create or replace temp table product_after_sales as
select
    product_id,
    business_date,
    sum(sum(lines)) over of_product as lines,
    sum(sum(returns)) over of_product as returns,
    sum(sum(contacts)) over of_product as contacts,
    sum(count(stars)) over of_product as ratings,
    sum(coalesce(sum(stars), 0)) over of_product as stars
from after_sales
where product_id is not null
group by product_id, business_date
window of_product as (partition by product_id order by business_date);

create or replace temp table user_after_sales as
select
    user_id,
    business_date,
    sum(sum(lines)) over of_user as lines,
    sum(sum(returns)) over of_user as returns,
    sum(sum(contacts)) over of_user as contacts
from after_sales
group by user_id, business_date
window of_user as (partition by user_id order by business_date);

create or replace temp table shop_after_sales as
select
    business_date,
    sum(sum(lines)) over so_far / 1e0 as lines,
    sum(sum(returns)) over so_far / sum(sum(lines)) over so_far as return_ratio,
    sum(sum(contacts)) over so_far / sum(sum(lines)) over so_far as contact_ratio,
    sum(coalesce(sum(stars), 0)) over so_far / nullif(sum(count(stars)) over so_far, 0) as rating
from after_sales
group by business_date
window so_far as (order by business_date);
