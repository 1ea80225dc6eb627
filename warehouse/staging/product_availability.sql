-- One row per product and day on which it was out of stock somewhere: the share of the day's demand that met no stock.
-- A site weighs what it sold of everything in that week. Empty without inventory snapshots.
create or replace temp table stockout_days as
with lines as (
    select site_id, staging.week_start(business_date) as week_start, count(*) as lines
    from known_lines
    group by all
),
site_weeks as (
    select site_id, week_start, lines / sum(lines) over (partition by week_start) as share
    from lines
),
stockouts as (
    select
        product_id,
        site_id,
        snapshot_date as business_date,
        staging.week_start(snapshot_date) as week_start,
        -- Without hours, a day that ends without stock had none.
        coalesce(out_of_stock_hours, if(coalesce(available_units, on_hand_units) <= 0, 24, 0)) / 24 as days
    from raw.inventory_snapshots
    where snapshot_date < getvariable('as_of_date')
)
select product_id, business_date, week_start, sum(cast(share * days as decimal(18, 9))) as unmet_ratio
from stockouts
join site_weeks using (site_id, week_start)
where days > 0
group by product_id, business_date, week_start;

-- One row per product and week with such a day: the share of the week's demand that met stock.
create or replace temp table product_availability as
select product_id, week_start, cast(greatest(1 - sum(unmet_ratio) / 7, 0) as float) as available_ratio
from stockout_days
group by product_id, week_start;
