-- One row per promotion that the night knows of and product that it is about, of those that a scenario promotes on a day
-- of it; a scenario's promotions are in each other's way too.
create or replace temp view promoted_already as
select
    asked.promotion_id,
    asked.product_id,
    known.promotion_id as other_promotion_id,
    staging.business_date(known.starts_at) as first_day,
    staging.business_date(known.ends_at) - 1 as last_day
from asked_promotions as asked
join raw.promotion_products as promoted on promoted.product_id = asked.product_id
join raw.promotions as known on known.promotion_id = promoted.promotion_id
where staging.business_date(coalesce(known.announced_at, known.starts_at)) < getvariable('as_of_date')
    and staging.business_date(known.starts_at) <= asked.last_day
    and staging.business_date(known.ends_at) > asked.first_day
union all
select asked.promotion_id, asked.product_id, 'of the same question', other.first_day, other.last_day
from asked_promotions as asked
join asked_promotions as other
    on other.product_id = asked.product_id
    and other.promotion_id < asked.promotion_id
    and other.first_day <= asked.last_day
    and other.last_day >= asked.first_day
