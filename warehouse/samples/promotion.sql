-- One row per campaign and user it was offered to, seen from the campaign's first day; tonight, one row per running
-- campaign and user who may be contacted, seen from the as-of date. The label asks for any redemption. Beside those who
-- were offered a campaign stand others who were not, where they can be compared: what did they order?
-- test: the latest campaigns that were observed for 25 days. Of those that had ended before, the latest quarter
-- validates and the rest trains.
create or replace table samples.promotion as
with bounds as (
    select cast(getvariable('as_of_date') as date) as as_of, min(business_date) as first_date
    from known_lines
),
campaigns as (
    select
        campaign_id,
        coalesce(campaign_type, 'unknown') as campaign_type,
        staging.business_date(starts_at) as start_date,
        staging.business_date(ends_at) as end_date,
        coupon_count,
        discount_value
    from raw.campaigns
),
targets as (
    select distinct campaign_id, user_id, campaign_type, start_date
    from raw.campaign_targets
    join staging.users using (user_id)
    join campaigns using (campaign_id)
),
redemptions as (
    select campaign_id, user_id, campaign_type, staging.business_date(redeemed_at) as redeemed_date
    from raw.redemptions
    join staging.users using (user_id)
    join campaigns using (campaign_id), bounds
    where staging.business_date(redeemed_at) < as_of
),
trained as (
    select
        campaign_id,
        4 * row_number() over (order by start_date desc, campaign_id desc) <= count(*) over () as is_latest
    from campaigns, bounds
    where end_date <= as_of - 75 and start_date > first_date
),
folds as (
    select campaign_id, start_date as cutoff_date, if(is_latest, 'validation', 'train') as fold
    from trained
    join campaigns using (campaign_id)
    union all
    select campaign_id, start_date, 'test'
    from campaigns, bounds
    where start_date >= as_of - 75 and start_date <= as_of - 25 and start_date > first_date
),
offers as (
    select campaign_id, user_id, cutoff_date, fold, true as is_offered
    from folds
    join targets using (campaign_id)
    union all
    select campaign_id, user_id, folds.cutoff_date, fold, false
    from folds
    join features.campaign_controls using (campaign_id)
    union all
    select campaign_id, user_id, as_of, 'serve', true
    from campaigns, staging.users, bounds
    where start_date <= as_of and end_date > as_of and has_marketing_consent is distinct from false
),
seen_offers as (
    select
        offers.*,
        campaign_type,
        start_date,
        end_date,
        coupon_count,
        discount_value,
        order_days_84d / greatest(least(offers.cutoff_date - first_date, 84), 1) as order_days_per_day
    from offers
    join campaigns using (campaign_id)
    -- A user who never ordered has no history to judge by.
    join features.users using (user_id, cutoff_date), bounds
),
redeemers as (
    select distinct campaign_id, user_id from redemptions
),
-- Who ordered while a campaign ran that has others to compare with.
observed_orders as (
    select
        campaign_id,
        user_id,
        bool_or(coalesce(business_date >= start_date and business_date < end_date, false)) as has_ordered
    from seen_offers
    left join order_days using (user_id), bounds
    where fold <> 'serve' and end_date <= as_of
        and campaign_id in (select campaign_id from features.campaign_controls)
    group by campaign_id, user_id
),
breadths as (
    select campaign_id, count(*) as users from targets group by campaign_id
),
assortments as (
    select campaign_id, count(*) as products from raw.campaign_products group by campaign_id
),
-- Earlier campaigns only: what a user did with this one is what we want to know.
past_targets as (
    select
        seen_offers.user_id,
        seen_offers.campaign_id,
        seen_offers.cutoff_date,
        count(*) as targets,
        count(*) filter (where targets.campaign_type = seen_offers.campaign_type) as same_type_targets
    from seen_offers
    join targets
        on targets.user_id = seen_offers.user_id
        and targets.start_date < seen_offers.cutoff_date
        and targets.campaign_id <> seen_offers.campaign_id
    group by all
),
past_redemptions as (
    select
        seen_offers.user_id,
        seen_offers.campaign_id,
        seen_offers.cutoff_date,
        count(*) as redemptions,
        count(*) filter (where redeemed_date >= seen_offers.cutoff_date - 90) as redemptions_90d,
        count(distinct redemptions.campaign_id) as campaigns,
        count(distinct redemptions.campaign_id) filter (where redemptions.campaign_type = seen_offers.campaign_type)
            as same_type_campaigns,
        seen_offers.cutoff_date - max(redeemed_date) as recency_days
    from seen_offers
    join redemptions
        on redemptions.user_id = seen_offers.user_id
        and redeemed_date < seen_offers.cutoff_date
        and redemptions.campaign_id <> seen_offers.campaign_id
    group by seen_offers.user_id, seen_offers.campaign_id, seen_offers.cutoff_date
),
-- What was usual before: the share of offers that were redeemed, over all campaigns and over those of a kind.
campaign_pairs as (
    select campaign_id, campaign_type, start_date, user_id, min(redeemed_date) as redeemed_date
    from targets
    left join redemptions using (campaign_id, user_id, campaign_type)
    group by all
),
usual as (
    select
        seen_campaigns.campaign_id,
        seen_campaigns.cutoff_date,
        (count(*) filter (where redeemed_date < cutoff_date) + 1) / (count(*) + 10) as redeemed_ratio,
        (count(*) filter (where redeemed_date < cutoff_date and is_same_type) + 1)
            / (count(*) filter (where is_same_type) + 10) as same_type_ratio
    from (select distinct campaign_id, campaign_type, cutoff_date from seen_offers) as seen_campaigns
    left join lateral (
        select campaign_pairs.*, campaign_pairs.campaign_type = seen_campaigns.campaign_type as is_same_type
        from campaign_pairs
        where campaign_pairs.start_date < seen_campaigns.cutoff_date
            and campaign_pairs.campaign_id <> seen_campaigns.campaign_id
    ) on true
    group by seen_campaigns.campaign_id, seen_campaigns.cutoff_date
),
-- Kinds of campaign by age of the kind, so that a new kind does not rename the old ones.
kinds as (
    select campaign_type, row_number() over (order by min(start_date), campaign_type) as kind
    from campaigns
    group by campaign_type
),
purchases as (
    select
        campaign_id,
        user_id,
        cutoff_date,
        count(*) as lines,
        count(distinct known_lines.product_id) as products,
        sum(line_total) as spend,
        count(*) filter (where business_date >= cutoff_date - 28) as lines_28d,
        cutoff_date - max(business_date) as recency_days
    from seen_offers
    join raw.campaign_products using (campaign_id)
    join known_lines using (user_id, product_id)
    where business_date < cutoff_date
    group by campaign_id, user_id, cutoff_date
)
select
    seen_offers.user_id,
    seen_offers.campaign_id,
    seen_offers.cutoff_date,
    fold,
    is_offered,
    case when fold <> 'serve' and is_offered then cast(redeemers.user_id is not null as integer) end as label_redeemed,
    cast(has_ordered as integer) as label_ordered,
    cast(1 - exp(-order_days_per_day * (end_date - seen_offers.cutoff_date)) as float) as base_ordered,
    cast((coalesce(past_redemptions.campaigns, 0) + 3 * redeemed_ratio) / (coalesce(past_targets.targets, 0) + 3) as float)
        as base_redeemed,
    cast(redeemed_ratio as float) as ctx_usual_redeemed_ratio,
    cast(same_type_ratio as float) as ctx_same_type_redeemed_ratio,
    cast(coalesce(past_redemptions.redemptions, 0) as integer) as ctx_redemptions,
    cast(coalesce(past_redemptions.redemptions_90d, 0) as integer) as ctx_redemptions_90d,
    cast(coalesce(past_redemptions.campaigns, 0) as integer) as ctx_redeemed_campaigns,
    cast(coalesce(past_redemptions.same_type_campaigns, 0) as integer) as ctx_same_type_redeemed_campaigns,
    cast(past_redemptions.recency_days as integer) as ctx_redemption_recency_days,
    cast(coalesce(past_targets.targets, 0) as integer) as ctx_targets,
    cast(coalesce(past_targets.same_type_targets, 0) as integer) as ctx_same_type_targets,
    cast(coalesce(past_redemptions.campaigns, 0) / (coalesce(past_targets.targets, 0) + 1) as float)
        as ctx_redeemed_per_target,
    cast(coalesce(purchases.lines, 0) as integer) as ctx_campaign_product_lines,
    cast(coalesce(purchases.lines_28d, 0) as integer) as ctx_campaign_product_lines_28d,
    cast(coalesce(purchases.products, 0) as integer) as ctx_campaign_products_bought,
    cast(coalesce(purchases.spend, 0) as float) as ctx_campaign_product_spend,
    cast(purchases.recency_days as integer) as ctx_campaign_product_recency_days,
    cast(coalesce(assortments.products, 0) as integer) as ctx_campaign_products,
    cast(coalesce(breadths.users, 0) as integer) as ctx_campaign_users,
    cast(coupon_count as integer) as ctx_coupon_count,
    cast(discount_value as float) as ctx_discount_value,
    cast(end_date - seen_offers.cutoff_date as integer) as ctx_days_left,
    kind = 1 as ctx_is_kind_1,
    kind = 2 as ctx_is_kind_2,
    kind = 3 as ctx_is_kind_3
from seen_offers
join kinds using (campaign_type)
join usual using (campaign_id, cutoff_date)
left join redeemers using (campaign_id, user_id)
left join observed_orders using (campaign_id, user_id)
left join breadths using (campaign_id)
left join assortments using (campaign_id)
left join past_targets using (campaign_id, user_id, cutoff_date)
left join past_redemptions using (campaign_id, user_id, cutoff_date)
left join purchases using (campaign_id, user_id, cutoff_date)
order by cutoff_date, campaign_id, user_id;
