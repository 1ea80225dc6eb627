-- One row per campaign.
with coupon_counts as (
    select campaign_id, count(distinct coupon_upc) as coupon_count
    from cj_coupons
    group by campaign_id
)

select
    campaign_id::varchar as campaign_id,
    campaign_type,
    cj_midnight(first_day) as starts_at,
    cj_midnight(last_day + 1) as ends_at,
    coalesce(coupon_count, 0) as coupon_count,
    input_name as _input_name
from cj_campaigns
left join coupon_counts using (campaign_id)
join cj_wanted on cj_wanted.part::bigint = campaign_id
