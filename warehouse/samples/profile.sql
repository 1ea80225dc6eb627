-- One row per user with an order before the cut-off, and cut-off: what they spend, when and on what.
-- Labels are NULL until their window has passed. A training window never reaches into a measured one, so churn,
-- which looks furthest ahead, is learned from the older cut-offs only.
create or replace table samples.profile as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        (select min(staging.business_date(created_at)) from raw.service_tickets) as first_ticket_date
),
users as (
    select
        users.*,
        fold,
        cutoff_date + horizon <= as_of as is_observed,
        cutoff_date + 90 <= as_of - 2 * horizon as is_churn_observed,
        coalesce(first_ticket_date < cutoff_date, false) and cutoff_date + horizon <= as_of as is_service_observed
    from features.users
    join features.cutoffs using (cutoff_date), bounds
    where fold in ('serve', 'test', 'validation', 'train')
),
ahead as (
    select
        user_id,
        cutoff_date,
        min(business_date) - cutoff_date as days_to_order,
        sum(spend) filter (where business_date < cutoff_date + horizon) as spend,
        sum(discount) filter (where business_date < cutoff_date + horizon) as discount
    from order_days
    join features.cutoffs on fold in ('test', 'validation', 'train') and business_date >= cutoff_date, bounds
    where business_date < cutoff_date + 90
    group by user_id, cutoff_date
),
contacts as (
    select user_id, cutoff_date, count(*) as contacts
    from raw.service_tickets
    join features.cutoffs
        on fold in ('test', 'validation', 'train') and staging.business_date(created_at) >= cutoff_date, bounds
    where staging.business_date(created_at) < cutoff_date + horizon
    group by all
),
-- Spend by block of one horizon, counted back from as-of: block 0 is the last one before it.
category_blocks as (
    select
        user_id,
        coalesce(category_index, other_index) as category_index,
        (as_of - 1 - business_date) // horizon as block,
        sum(line_total) as spend
    from known_lines
    left join features.categories using (category),
        (select category_index as other_index from features.categories where category = 'OTHER'), bounds
    where user_id is not null
    group by all
),
-- A cut-off lies between two blocks: `block - 1` is ahead of it, `block` right before.
cutoff_blocks as (
    select cutoff_date, (as_of - cutoff_date) // horizon as block
    from features.cutoffs, bounds
    where fold in ('serve', 'test', 'validation', 'train')
),
category_spends as (
    select
        user_id,
        cutoff_date,
        category_index,
        coalesce(sum(spend) filter (where category_blocks.block >= cutoff_blocks.block), 0) as before,
        coalesce(sum(spend) filter (where category_blocks.block = cutoff_blocks.block), 0) as recently,
        coalesce(sum(spend) filter (where category_blocks.block = cutoff_blocks.block - 1), 0) as after
    from category_blocks
    join cutoff_blocks on category_blocks.block >= cutoff_blocks.block - 1
    group by user_id, cutoff_date, category_index
),
-- What everyone spends on a category before the cut-off, and what one user spends in all. A category that nobody has
-- bought yet has a share too, zero, so that every list of shares is as long as features.categories.
category_norms as (
    select
        cutoff_date,
        category_index,
        coalesce(sum(before), 0) / sum(sum(before)) over (partition by cutoff_date) as usual_share
    from (select distinct cutoff_date from category_spends)
    cross join features.categories
    left join category_spends using (cutoff_date, category_index)
    group by cutoff_date, category_index
),
horizon_spends as (
    select cutoff_date, avg(cast(spend_28d as decimal(18, 4))) as usual_spend from users group by cutoff_date
),
shares as (
    select
        user_id,
        cutoff_date,
        list_sort(list({
            'category_index': category_index,
            'own': cast(coalesce(before, 0) as double) + 0.001 * usual_share,
            -- A user's own history, the latest counted again, and a usual shopper's month as a prior.
            'smoothed': cast(coalesce(before + recently, 0) as double) + usual_spend * usual_share,
            'ahead': cast(coalesce(after, 0) as double)
        })) as spends
    from users
    join category_norms using (cutoff_date)
    join horizon_spends using (cutoff_date)
    left join category_spends using (user_id, cutoff_date, category_index)
    group by user_id, cutoff_date
),
interests as (
    select
        user_id,
        cutoff_date,
        list_transform(spends, lambda category: category.own) as own,
        list_transform(spends, lambda category: category.smoothed) as smoothed,
        list_transform(spends, lambda category: category.ahead) as ahead
    from shares
)
select
    user_id,
    cutoff_date,
    home_site_id as site_id,
    fold,
    case when is_observed then cast(coalesce(ahead.spend, 0) as double) end as label_spend_28d,
    case when is_observed then cast(coalesce(days_to_order < horizon, false) as integer) end as label_buys_28d,
    case when is_observed then cast(coalesce(days_to_order < 7, false) as integer) end as label_buys_7d,
    case when is_churn_observed then cast(days_to_order is null as integer) end as label_churns_90d,
    case
        when is_observed then cast(ahead.discount as double) / nullif(cast(ahead.spend + ahead.discount as double), 0)
    end as label_discount_share_28d,
    case when is_service_observed then coalesce(contacts, 0) end as label_contacts_28d,
    case
        when is_observed and list_sum(interests.ahead) > 0
            then list_transform(interests.ahead, lambda spend: spend / list_sum(interests.ahead))
    end as label_category_shares,
    spend_84d * horizon / 84 as base_spend_28d,
    spend_28d as base_spend_last_28d,
    1 - exp(-order_days_84d * horizon / 84) as base_buys_28d,
    1 - exp(-order_days_84d * 7 / 84) as base_buys_7d,
    -- In a young shop's first weeks, before habits are learned, presence says nothing yet.
    coalesce(presence_order_probability_28d, base_buys_28d) as base_presence_buys_28d,
    coalesce(presence_order_probability_7d, base_buys_7d) as base_presence_buys_7d,
    list_transform(own, lambda spend: spend / list_sum(own)) as base_category_shares,
    list_transform(smoothed, lambda spend: spend / list_sum(smoothed)) as base_category_shares_smoothed
from users
cross join bounds
join interests using (user_id, cutoff_date)
left join ahead using (user_id, cutoff_date)
left join contacts using (user_id, cutoff_date)
order by cutoff_date, user_id;
