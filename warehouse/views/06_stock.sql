-- One row per site and product with a snapshot before the as-of date, and per product for site 'all': what can be sold
-- now, what more will have arrived within 7 and 28 days, and the position that orders look at.
create or replace temp table stock as
with latest as (
    select *
    from raw.inventory_snapshots
    where snapshot_date < getvariable('as_of_date') and on_hand_units is not null
    qualify row_number() over (partition by site_id, product_id order by snapshot_date desc) = 1
),
open_lines as (
    select
        purchase_order_line_id,
        product_id,
        ship_to_site_id as site_id,
        quantity_submitted - if(received_at is null, coalesce(quantity_received, 0), 0) as units,
        staging.business_date(ordered_at) + cast(ceil(lead_time_days_p90) as integer) - getvariable('as_of_date')
            as days_to_come
    from raw.purchase_order_lines
    join replenishment_policies using (product_id)
    where staging.business_date(ordered_at) < getvariable('as_of_date')
        and coalesce(staging.business_date(received_at) >= getvariable('as_of_date'), true)
),
-- A line is taken to arrive by the day on which nine in ten do; of one that is later than that nobody knows the day.
receipts as (
    select
        product_id,
        site_id,
        sum(units order by purchase_order_line_id) as units,
        sum(units order by purchase_order_line_id) filter (where days_to_come between 0 and 7) as units_7d,
        sum(units order by purchase_order_line_id) filter (where days_to_come between 0 and 28) as units_28d
    from open_lines
    group by all
),
positions as (
    select
        latest.site_id,
        latest.product_id,
        on_hand_units + coalesce(incoming_units, 0) - coalesce(committed_units, 0) as position_units,
        coalesce(available_units, on_hand_units - coalesce(committed_units, 0)) as available_units,
        -- What the snapshot calls incoming beyond the open lines was ordered yesterday at the latest.
        greatest(coalesce(incoming_units, 0) - coalesce(units, 0), 0) as other_units,
        coalesce(units_7d, 0) + if(lead_time_days_p90 <= 7, other_units, 0) as arriving_7d_units,
        coalesce(units_28d, 0) + if(lead_time_days_p90 <= 28, other_units, 0) as arriving_28d_units
    from latest
    join replenishment_policies using (product_id)
    left join receipts on receipts.product_id = latest.product_id and receipts.site_id = latest.site_id
)
select * exclude (other_units) from positions
union all
select
    'all',
    product_id,
    sum(position_units order by site_id),
    sum(available_units order by site_id),
    sum(arriving_7d_units order by site_id),
    sum(arriving_28d_units order by site_id)
from positions
group by product_id
