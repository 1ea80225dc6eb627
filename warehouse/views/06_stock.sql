-- One row per site and product with a snapshot before the as-of date, and per product for site 'all'.
create or replace temp view stock as
with latest as (
    select *
    from raw.inventory_snapshots
    where snapshot_date < getvariable('as_of_date') and on_hand_units is not null
    qualify row_number() over (partition by site_id, product_id order by snapshot_date desc) = 1
),
positions as (
    select
        site_id,
        product_id,
        on_hand_units + coalesce(incoming_units, 0) - coalesce(committed_units, 0) as position_units,
        coalesce(available_units, on_hand_units - coalesce(committed_units, 0)) as available_units
    from latest
)
select site_id, product_id, position_units, available_units from positions
union all
select 'all', product_id, sum(position_units), sum(available_units) from positions group by product_id
