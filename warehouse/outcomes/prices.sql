-- One row per night and product with a price: whether the recommended price was charged at any sale of the window, the
-- margin of the window beside what was expected of it, and beside as long a time before.
with days as (
    select
        known_lines.product_id,
        business_date,
        sum(line_total) - sum(quantity * unit_cost) as margin,
        min(cast(sold_price as double)) as lowest_price,
        max(cast(sold_price as double)) as highest_price
    from known_lines
    left join raw.products using (product_id)
    where is_item
    group by known_lines.product_id, business_date
),
windows as (
    select
        run_id,
        product_id,
        sum(margin) filter (where business_date >= due_nights.as_of_date) as margin,
        sum(margin) filter (where business_date < due_nights.as_of_date) as margin_before,
        -- Within a percent: rounding and coupons.
        bool_or(
            business_date >= due_nights.as_of_date
            and lowest_price <= 1.01 * recommended_price and highest_price >= 0.99 * recommended_price
        ) as is_charged,
        count(*) filter (where business_date >= due_nights.as_of_date) > 0 as is_sold
    from due_nights
    join kept.price_recommendations using (run_id)
    join days using (product_id)
    where business_date < observed_until
        and business_date >= due_nights.as_of_date - cast(observed_until - due_nights.as_of_date as integer)
    group by run_id, product_id
)
select
    run_id,
    review_status = 'auto_apply' and recommended_price <> current_price as is_change,
    coalesce(is_charged, false) as is_charged,
    coalesce(is_sold, false) as is_sold,
    cast(coalesce(margin, 0) as double) as margin,
    cast(coalesce(margin_before, 0) as double) as margin_before,
    expected_margin_now,
    if(coalesce(is_charged, false), expected_margin_then, expected_margin_now) as expected_margin
from kept.price_recommendations
join due_nights using (run_id)
left join windows using (run_id, product_id)
order by run_id, product_id
