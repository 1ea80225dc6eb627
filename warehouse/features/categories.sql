-- One row per interest category: those with at least 0.2 percent of what was spent before the newest measured
-- window, in alphabetical order, then OTHER.
create or replace table features.categories as
with last_known as (
    select coalesce(min(cutoff_date) filter (where fold = 'test'), max(cutoff_date)) as cutoff_date
    from features.cutoffs
    where fold in ('serve', 'test')
),
spends as (
    select category, sum(line_total) as spend
    from known_lines, last_known
    where business_date < cutoff_date
    group by category
),
shown as (
    select category
    from spends
    where spend >= 0.002 * (select sum(spend) from spends) and category <> 'OTHER'
)
select category, cast(row_number() over (order by category) - 1 as integer) as category_index from shown
union all
select 'OTHER', cast(count(*) as integer) from shown
order by category_index;
