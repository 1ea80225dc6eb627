-- One row per campaign and user who might have been offered it and was not: the others, whom those who were offered it
-- can be compared with. Only of campaigns that were offered as if at random: before the campaign, both groups ordered
-- and spent alike (standardised difference below 0.25, Rubin 2001). As many controls as targets at most, twice over.
-- Empty where every campaign went to chosen users: then nobody knows what an offer adds.
create or replace table features.campaign_controls as
with campaigns as (
    select campaign_id, staging.business_date(starts_at) as cutoff_date
    from raw.campaigns
    where staging.business_date(starts_at) in (select cutoff_date from features.cutoffs where fold = 'promotion')
),
targets as (
    select distinct campaign_id, user_id from raw.campaign_targets
),
habits as (
    select
        campaigns.campaign_id,
        cutoff_date,
        users.user_id,
        targets.user_id is not null as is_offered,
        count(*) filter (where business_date >= cutoff_date - 84) as order_days,
        coalesce(cast(sum(spend) filter (where business_date >= cutoff_date - 84) as double), 0) as spend
    from campaigns
    cross join staging.users
    join order_days on order_days.user_id = users.user_id and business_date < cutoff_date
    left join targets on targets.campaign_id = campaigns.campaign_id and targets.user_id = users.user_id
    where has_marketing_consent is distinct from false
    group by all
),
groups as (
    select
        campaign_id,
        count(*) filter (where is_offered) as targets,
        count(*) filter (where not is_offered) as others,
        abs(avg(order_days) filter (where is_offered) - avg(order_days) filter (where not is_offered))
            / nullif(stddev_pop(order_days), 0) as order_days_apart,
        abs(avg(ln(1 + spend)) filter (where is_offered) - avg(ln(1 + spend)) filter (where not is_offered))
            / nullif(stddev_pop(ln(1 + spend)), 0) as spend_apart
    from habits
    group by campaign_id
),
comparable as (
    select campaign_id, targets
    from groups
    where least(targets, others) >= 30 and order_days_apart < 0.25 and spend_apart < 0.25
)
select campaign_id, user_id, cutoff_date
from habits
join comparable using (campaign_id)
where not is_offered
qualify row_number() over (partition by campaign_id order by hash(campaign_id, user_id), user_id) <= 2 * targets
order by cutoff_date, campaign_id, user_id;
