-- One row per purchase order line with a promised day: what was known of it when it was ordered, the days from that
-- promise to its receipt as `label_late_days`, and its supplier's quantiles as known at the start of the measured
-- window ($1 to $2). `fold`: lines received before the window are learned from, those ordered in the four weeks before
-- it as validation; judged are lines of the window whose first $3 days after the promise are all over at its end.
-- That rule knows neither when a line came nor who foretold what, so that it leaves out the same lines for everybody;
-- a line that took longer, or is still open, is $3 days late.
with promised as (
    select
        purchase_order_line_id,
        coalesce(lines.supplier_id, 'unknown') as supplier_id,
        lines.product_id,
        coalesce(ship_to_site_id, 'unknown') as site_id,
        staging.business_date(ordered_at) as ordered_date,
        staging.business_date(received_at) as received_date,
        coalesce(expected_delivery_date, ordered_date + cast(planned_lead_time_days as integer)) as promised_date,
        quantity_submitted,
        lines.unit_cost
    from raw.purchase_order_lines as lines
    left join raw.supplier_products using (supplier_id, product_id)
),
folds as (
    select
        *,
        case
            when ordered_date >= $1 and promised_date + $3::integer <= $2 then 'test'
            when received_date >= $1 or received_date is null then null
            when ordered_date >= $1 - 28 then 'validation'
            else 'train'
        end as fold
    from promised
    where promised_date is not null
),
plain as (
    select
        supplier_id,
        quantile_cont(received_date - promised_date, 0.5) as plain_p50,
        quantile_cont(received_date - promised_date, 0.9) as plain_p90
    from folds
    where fold in ('train', 'validation')
    group by supplier_id
)
select
    fold,
    supplier_id,
    product_id,
    site_id,
    promised_date - ordered_date as planned_days,
    quantity_submitted as units,
    unit_cost,
    dayofweek(ordered_date) as weekday,
    dayofyear(ordered_date) as day_of_year,
    dayofweek(promised_date) as promised_weekday,
    cast(
        if(fold = 'test', least(coalesce(received_date - promised_date, $3), $3), received_date - promised_date)
        as double
    ) as label_late_days,
    late_days_p50,
    late_days_p90,
    plain_p50,
    plain_p90
from folds
join plain using (supplier_id)
join features.lead_times using (supplier_id)
where fold is not null and cutoff_date = $1
order by ordered_date, purchase_order_line_id;
