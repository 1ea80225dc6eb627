-- One row per product, the ten whose expected units differ most from what they sold in the last four weeks.
with expected as (
    select
        product_id,
        sum(demand_units_mean) as expected_units,
        count(*) filter (is_promoted) as promoted_weeks,
        arg_max(primary_reason, demand_units_mean) as primary_reason
    from tonight.predictions.demand_forecasts
    group by product_id
),
sold as (
    select product_id, sum(units) as sold_units
    from sold_weeks
    where week_start >= getvariable('as_of_date') - 28
    group by product_id
)
select
    titles.title,
    coalesce(sold.sold_units, 0) as sold_units,
    expected.expected_units,
    expected.expected_units - coalesce(sold.sold_units, 0) as difference,
    expected.promoted_weeks,
    expected.primary_reason
from expected
join titles using (product_id)
left join sold using (product_id)
order by abs(difference) desc, expected.product_id
limit 10
