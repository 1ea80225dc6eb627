-- One row per promotion channel, placement and cut-off: demand under it, over the mean of the eight weeks
-- before, as learned from the weeks before the cut-off. A few weeks without lift are added as a prior.
create or replace table features.placement_lifts as
with panels as (
    select product_panels.*
    from product_panels
    where product_id in (select product_id from features.demand_population where is_supply_test)
),
weeks as (
    select
        product_id,
        first_week + 7 * cast(position as integer) as week_start,
        demand_units[position + 1] as units,
        list_avg(demand_units[position - 7:position]) as usual_units
    from panels, range(8, len(demand_units)) as positions (position)
),
placed_weeks as (
    select
        channel,
        placement,
        week_start,
        sum(cast(reach * units as decimal(18, 6))) as units,
        sum(cast(reach * usual_units as decimal(18, 6))) as usual_units
    from weeks
    join promotion_weeks using (product_id, week_start)
    group by all
),
known_weeks as (
    select
        channel,
        placement,
        cutoff_date,
        sum(units) as units,
        sum(usual_units) as usual_units
    from placed_weeks
    join (select distinct cutoff_date from features.demand_population) on week_start < cutoff_date
    group by channel, placement, cutoff_date
)
select
    channel,
    placement,
    cutoff_date,
    cast(units + 10 as double) / cast(usual_units + 10 as double) as lift,
    -- The places in the mailer that lift sales more than the others of their channel do on the whole.
    contains(channel, 'mailer')
        and lift > cast(sum(units) over of_channel as double) / cast(sum(usual_units) over of_channel as double) as is_major_mailer
from known_weeks
window of_channel as (partition by cutoff_date, channel)
order by cutoff_date, channel, placement;
