-- The lists of a fixed choice of users whom the model serves; a fifth as many as profiles, for each has dozens of rows.
with choice as (
    select user_id
    from predictions.product_recommendations
    where user_id <> 'everyone' and not is_holdout
    group by user_id
    qualify row_number() over (order by md5(user_id)) <= getvariable('sample_rows') // 5
)
select product_recommendations.*
from predictions.product_recommendations
semi join choice using (user_id)
