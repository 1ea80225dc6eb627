-- One row per category, the twelve most shown: its share of what lists show beside its share of what sold in four weeks.
with shown as (
    select category, count(*) / sum(count(*)) over () as shown_ratio
    from tonight.predictions.product_recommendations
    join titles using (product_id)
    group by category
),
sold as (
    select category, sum(units) / sum(sum(units)) over () as sold_ratio
    from sold_weeks
    join titles using (product_id)
    where week_start >= getvariable('as_of_date') - 28
    group by category
)
select category, shown_ratio, coalesce(sold_ratio, 0) as sold_ratio
from shown
left join sold using (category)
order by shown_ratio desc, category
limit 12
