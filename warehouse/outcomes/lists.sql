-- One row per night, user and list that was kept; hits are empty where nothing was bought that it could name. How many of
-- the products bought in the window it named and how early, beside a list of best sellers for everybody. Only the first
-- 20 positions count; the ideal list begins with all that was bought.
with shown as materialized (
    select * from kept.product_recommendations semi join due_nights using (run_id)
),
first_purchases as (
    select user_id, product_id, min(business_date) as first_date
    from staging.order_lines
    where is_item and user_id in (select user_id from shown)
    group by user_id, product_id
),
purchases as (
    select run_id, user_id, product_id, sum(quantity) as units, sum(line_total) as revenue
    from due_nights
    join staging.order_lines on business_date >= as_of_date and business_date < observed_until
    where is_item
    group by run_id, user_id, product_id
),
bought as (
    select
        purchases.*,
        first_date >= due_nights.as_of_date as is_new,
        cast(revenue - units * unit_cost as double) as margin
    from purchases
    join due_nights using (run_id)
    join first_purchases using (user_id, product_id)
    left join raw.products using (product_id)
),
lists as (
    select distinct run_id, user_id, placement from shown
),
-- What counts for which list.
relevant as (
    select lists.*, bought.* exclude (run_id, user_id)
    from lists
    join bought using (run_id, user_id)
    where placement = 'for_you' or is_new = (placement = 'new_to_you')
),
-- A best seller that the user has bought before moves the later ones up in a list of new products, and the other way
-- round in one of products bought before.
plain_ranks as (
    select
        relevant.run_id,
        relevant.user_id,
        relevant.placement,
        relevant.product_id,
        case relevant.placement
            when 'for_you' then any_value(popular.rank)
            when 'new_to_you' then any_value(popular.rank) - count(before.product_id)
            else count(before.product_id) + 1
        end as rank
    from relevant
    join kept.popular_products as popular using (run_id, product_id)
    left join (
        select run_id, user_id, product_id, rank
        from kept.popular_products
        semi join due_nights using (run_id)
        join first_purchases using (product_id)
        where first_date < as_of_date
    ) as before
        on before.run_id = relevant.run_id and before.user_id = relevant.user_id and before.rank < popular.rank
    group by relevant.run_id, relevant.user_id, relevant.placement, relevant.product_id
),
hits as (
    select
        relevant.run_id,
        relevant.user_id,
        relevant.placement,
        count(*) as relevant,
        count(*) filter (where shown.rank <= 20) as hits,
        coalesce(sum(1 / log2(shown.rank + 1)) filter (where shown.rank <= 20), 0) as gain,
        count(*) filter (where plain.rank <= 20) as plain_hits,
        coalesce(sum(1 / log2(plain.rank + 1)) filter (where plain.rank <= 20), 0) as plain_gain,
        coalesce(sum(revenue) filter (where shown.rank is not null), 0) as revenue,
        coalesce(sum(margin) filter (where shown.rank is not null), 0) as margin,
        count(shown.rank) as purchases
    from relevant
    left join shown using (run_id, user_id, placement, product_id)
    left join plain_ranks as plain using (run_id, user_id, placement, product_id)
    group by relevant.run_id, relevant.user_id, relevant.placement
),
promises as (
    select run_id, user_id, placement, sum(purchase_probability) as expected_purchases, sum(expected_margin) as expected_margin
    from shown
    group by run_id, user_id, placement
),
-- How many of the products sold before are among the first 20 of anybody.
first_sales as (
    select product_id, min(business_date) as first_date from staging.order_lines where is_item group by product_id
),
catalogues as (
    select run_id, count(*) as products
    from due_nights
    join first_sales on first_date < as_of_date
    group by run_id
),
coverages as (
    select run_id, placement, count(distinct product_id) / any_value(products) as coverage
    from shown
    join catalogues using (run_id)
    where rank <= 20
    group by run_id, placement
),
ideals as (
    select length, sum(1 / log2(position + 1)) as ideal_gain
    from range(1, 21) as lengths (length), range(1, 21) as positions (position)
    where position <= length
    group by length
)
select
    run_id,
    list_position(['for_you', 'new_to_you', 'buy_again'], placement) as list_number,
    coalesce(relevant, 0) as relevant,
    hits / relevant as recall,
    gain / ideal_gain as ndcg,
    plain_hits / relevant as plain_recall,
    plain_gain / ideal_gain as plain_ndcg,
    coverage,
    coalesce(purchases, 0) as purchases,
    expected_purchases,
    cast(coalesce(revenue, 0) as double) as revenue,
    coalesce(margin, 0) as margin,
    expected_margin
from promises
join coverages using (run_id, placement)
left join hits using (run_id, user_id, placement)
left join ideals on length = least(relevant, 20)
order by run_id, placement, user_id
