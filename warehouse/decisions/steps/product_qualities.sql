-- One row per product whose coming ratings are predicted.
create or replace temp table product_qualities as
select product_id, ['bad', 'medium', 'good'][1 + cast(quality_number as integer)] as predicted_quality
from predicted.product_quality
