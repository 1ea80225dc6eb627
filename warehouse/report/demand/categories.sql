-- One row per category, the twelve largest: four weeks as sold, four as expected.
with expected as (
    select category, sum(demand_units_mean) as expected_units
    from tonight.predictions.demand_forecasts
    join titles using (product_id)
    group by category
),
sold as (
    select category, sum(units) as sold_units
    from sold_weeks
    join titles using (product_id)
    where week_start >= getvariable('as_of_date') - 28
        and product_id in (select product_id from tonight.predictions.demand_forecasts)
    group by category
)
select
    category,
    coalesce(sold_units, 0) as sold_units,
    expected_units,
    expected_units / nullif(sold_units, 0) - 1 as change_ratio
from expected
left join sold using (category)
order by expected_units desc, category
limit 12
