-- One row per user known before the measured window ($1 to $2): the distinct items bought in it, whoever listed
-- them, and how many of these the user had never bought before.
with known as (
    select distinct user_id, product_id from staging.order_lines where is_item and business_date < $1
),
bought as (
    select distinct user_id, product_id
    from staging.order_lines
    where is_item and business_date >= $1 and business_date < $2
)
select
    users.user_id,
    count(bought.product_id) as relevant,
    count(bought.product_id) filter (where known.product_id is null) as relevant_new
from (select distinct user_id from known) as users
left join bought on bought.user_id = users.user_id
left join known on known.user_id = bought.user_id and known.product_id = bought.product_id
group by users.user_id
