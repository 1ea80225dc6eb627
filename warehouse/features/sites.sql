-- One row per site with an order line before the cut-off, and cut-off.
create or replace table features.sites as
with site_days as (
    select
        site_id,
        business_date,
        count(*) as lines,
        sum(line_total) as spend,
        sum(discount) as discount
    from known_lines
    group by all
),
history as (
    select
        site_id,
        cutoff_date,
        sum(lines) as lines,
        sum(spend) as spend,
        sum(discount) as discount,
        coalesce(sum(lines) filter (where business_date >= cutoff_date - 28), 0) as lines_28d,
        coalesce(sum(lines) filter (where business_date >= cutoff_date - 84), 0) as lines_84d,
        cutoff_date - min(business_date) as age_days,
        cutoff_date - max(business_date) as recency_days
    from site_days
    join (select distinct cutoff_date from features.cutoffs) as cutoffs on business_date < cutoff_date
    group by site_id, cutoff_date
)
select
    history.site_id,
    cutoff_date,
    sites.site_type,
    sites.region,
    cast(lines_28d as bigint) as lines_28d,
    cast(lines_84d as bigint) as lines_84d,
    lines_84d / nullif(sum(lines_84d) over (partition by cutoff_date), 0) as share_of_lines_84d,
    lines_28d / (lines_84d / 3 + 1) as lines_trend_ratio,
    cast(spend as double) / lines as spend_per_line,
    cast(discount as double) / nullif(cast(spend + discount as double), 0) as discount_share,
    age_days,
    recency_days
from history
left join raw.sites using (site_id)
order by cutoff_date, site_id;
