-- One row per household, on the day it was first seen: in a basket, or as the target of a campaign.
with first_baskets as (
    select household_id, min(ordered_at) as created_at
    from cj_baskets
    group by household_id
),

first_campaigns as (
    -- Campaigns of the year before are known from the first day of the data.
    select household_id, cj_midnight(greatest(min(first_day), (select min(business_date) from cj_baskets))) as created_at
    from cj_targets
    join cj_campaigns using (campaign_id)
    group by household_id
),

households as (
    select household_id, min(created_at) as created_at, cj_business_date(min(created_at)) as first_seen_on
    from (from first_baskets union all from first_campaigns)
    group by household_id
)

select
    household_id::varchar as user_id,
    created_at,
    age as age_band,
    income as income_band,
    replace(household_size, '+', '')::double as household_size,
    input_name as _input_name
from households
join cj_wanted on cj_wanted.part::date = first_seen_on
left join cj_demographics using (household_id)
