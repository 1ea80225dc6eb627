-- One row per purchase order line ordered in the measured window ($1 to $2) of which it is known whether it came by the
-- day that the p90 of its supplier names: days late (today's, where it is still open), that p90, and the plain one of
-- the supplier's received lines.
with lines as (
    select
        coalesce(lines.supplier_id, 'unknown') as supplier_id,
        staging.business_date(ordered_at) as ordered_date,
        least(staging.business_date(received_at), $2) as seen_date,
        coalesce(staging.business_date(received_at) < $2, false) as is_received,
        coalesce(
            expected_delivery_date,
            ordered_date + cast(coalesce(planned_lead_time_days, getvariable('lead_time_days')) as integer)
        ) as promised_date
    from raw.purchase_order_lines as lines
    left join raw.supplier_products using (supplier_id, product_id)
    where staging.business_date(ordered_at) < $2
),
plain as (
    select supplier_id, quantile_cont(seen_date - promised_date, 0.9) as plain_p90
    from lines
    where is_received and seen_date < $1
    group by supplier_id
)
select
    cast(coalesce(seen_date, $2) - promised_date as double) as late_days,
    late_days_p90,
    plain_p90
from lines
join plain using (supplier_id)
join features.lead_times using (supplier_id)
where cutoff_date = $1 and ordered_date >= $1 and promised_date + cast(ceil(late_days_p90) as integer) < $2
order by supplier_id, ordered_date, late_days;
