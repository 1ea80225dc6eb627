-- Of a fixed choice of products, where there are many.
select *
from predictions.price_recommendations
qualify row_number() over (order by md5(product_id)) <= getvariable('sample_rows')
