-- Of a fixed choice of products, where there are many.
select *
from predictions.replenishment_recommendations
qualify dense_rank() over (order by md5(product_id)) <= getvariable('sample_rows')
