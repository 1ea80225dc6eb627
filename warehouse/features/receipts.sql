-- One row per purchase order line and cut-off (tonight, and the one that is measured) at which it had been ordered: how
-- late it was then, counted from what its supplier promised, and whether it had come. `supplier_number` numbers
-- suppliers for arrays.
create or replace temp table receipts as
with lines as (
    select
        purchase_order_line_id,
        coalesce(lines.supplier_id, 'unknown') as supplier_id,
        lines.product_id,
        staging.business_date(ordered_at) as ordered_date,
        staging.business_date(received_at) as received_date,
        expected_delivery_date,
        planned_lead_time_days
    from raw.purchase_order_lines as lines
    left join raw.supplier_products using (supplier_id, product_id)
),
promised as (
    select
        *,
        coalesce(
            expected_delivery_date,
            ordered_date + cast(coalesce(planned_lead_time_days, getvariable('lead_time_days')) as integer)
        ) as promised_date
    from lines
)
select
    purchase_order_line_id,
    supplier_id,
    cutoff_date,
    coalesce(received_date < cutoff_date, false) as is_received,
    cast(if(is_received, received_date, cutoff_date) - promised_date as bigint) as late_days,
    received_date - promised_date as late_days_in_the_end,
    dense_rank() over (order by supplier_id) - 1 as supplier_number
from promised
join features.cutoffs on fold in ('serve', 'test') and ordered_date < cutoff_date
order by cutoff_date, purchase_order_line_id;
