-- One row per product, and cut-off of the recommendation, with a promotion in the weeks ahead that is known by then: the
-- share of the horizon and of the shop's sales that it reaches.
create or replace temp table promoted_shares as
with bounds as (
    select cast(getvariable('horizon_days') as integer) as horizon
)
select
    product_id,
    cutoff_date,
    7 * sum(cast(reach as decimal(9, 6))) / any_value(horizon) as promoted_share
from promotion_weeks
join features.recommendation_cutoffs on announced_date < cutoff_date and week_start >= cutoff_date, bounds
where week_start < cutoff_date + horizon
group by product_id, cutoff_date;
