-- One row per night, product and site that had stock that evening: whether it ran out within the lead time (28 days at
-- most), and what lay there at the end of the window beyond the level to which was ordered. Empty without snapshots.
with snapshots as (
    select snapshot_date, product_id, site_id, on_hand_units,
        coalesce(out_of_stock_hours > 0, coalesce(available_units, on_hand_units) <= 0) as is_out
    from raw.inventory_snapshots
    where snapshot_date < getvariable('as_of_date')
    union all
    select snapshot_date, product_id, 'all', sum(on_hand_units),
        bool_and(coalesce(out_of_stock_hours > 0, coalesce(available_units, on_hand_units) <= 0))
    from raw.inventory_snapshots
    where snapshot_date < getvariable('as_of_date')
    group by snapshot_date, product_id
),
items as (
    select run_id, due_nights.as_of_date, window_end, replenishment_recommendations.* exclude (run_id, as_of_date),
        due_nights.as_of_date + least(greatest(cast(ceil(lead_time_days_p50) as integer), 1), 28) as cover_end
    from kept.replenishment_recommendations
    join due_nights using (run_id)
    where stockout_probability is not null
)
select
    run_id,
    stockout_probability,
    exception_type = 'stockout_risk' as is_warned,
    bool_or(is_out and snapshot_date >= items.as_of_date and snapshot_date < cover_end) as has_run_out,
    coalesce(
        sum(greatest(on_hand_units - order_up_to_units, 0) * unit_cost) filter (where snapshot_date = window_end - 1), 0
    )::double as excess_cost,
    coalesce(
        sum(greatest(on_hand_units - order_up_to_units, 0) * unit_cost) filter (where snapshot_date = items.as_of_date - 1), 0
    )::double as excess_cost_before
from items
join snapshots using (product_id, site_id)
left join raw.products using (product_id)
where snapshot_date >= items.as_of_date - 1 and snapshot_date < window_end
group by run_id, items.product_id, items.site_id, stockout_probability, exception_type
having not bool_or(is_out and snapshot_date = items.as_of_date - 1)
order by run_id, items.product_id, items.site_id
