-- What people did short of buying: one row per event of a known user before as-of. Empty without behaviour events.
create or replace temp table known_events as
with events as (
    -- A day begins on a quarter of an hour in every time zone, and there are far fewer of those than events.
    select user_id, product_id, event_type, epoch_ms(event_at) // 900000 as quarter
    from raw.behaviour_events
    where event_type in ('view_item', 'search', 'add_to_cart', 'add_to_wishlist', 'begin_checkout') and user_id is not null
),
quarters as (
    select quarter, staging.business_date(make_timestamp(quarter * 900000000)) as business_date
    from (select distinct quarter from events)
)
select user_index, product_index, event_type, business_date
from events
join quarters using (quarter)
join staging.users using (user_id)
left join staging.products using (product_id)
where business_date < getvariable('as_of_date');

-- One row per user and day with an event: whoever looks around is still there, long before the next order.
create or replace temp table visit_days as
select
    user_index,
    business_date,
    cast(count(*) filter (where event_type = 'view_item') as integer) as views,
    cast(count(*) filter (where event_type = 'search') as integer) as searches,
    cast(count(*) filter (where event_type = 'add_to_cart') as integer) as cart_adds
from known_events
group by user_index, business_date;

-- One row per user, product and day on which it was looked at, put into the cart or wished for.
create or replace temp table interest_days as
select
    user_index,
    product_index,
    business_date,
    cast(count(*) filter (where event_type = 'view_item') as integer) as views,
    cast(count(*) filter (where event_type = 'add_to_cart') as integer) as cart_adds,
    bool_or(event_type = 'add_to_wishlist') as is_wished
from known_events
where product_index is not null
    -- Interest is looked back at for four weeks from the cut-offs of the recommendation.
    and business_date >= cast(getvariable('as_of_date') as date) - cast(getvariable('horizon_days') as integer)
        * (3 + cast(getvariable('recommendation_train_cutoffs') as integer))
group by user_index, product_index, business_date;
