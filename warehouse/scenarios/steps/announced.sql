-- The promotions and their products as the night knows them, and those of the scenario as if they had been announced the
-- day before; only products of the scenario are looked at again.
create or replace table raw.promotions as
select * from night.raw.promotions
union all by name
select distinct
    promotion_id,
    timezone('UTC', timezone(getvariable('time_zone'), cast(getvariable('as_of_date') - 1 as timestamp))) as announced_at,
    timezone('UTC', timezone(getvariable('time_zone'), cast(first_day as timestamp))) as starts_at,
    timezone('UTC', timezone(getvariable('time_zone'), cast(last_day + 1 as timestamp))) as ends_at,
    'percent' as discount_type,
    discount_percent as discount_value,
    channel,
    placement
from asked_promotions;

create or replace table raw.promotion_products as
select *
from night.raw.promotion_products
where product_id in (select product_id from asked_promotions)
union all by name
select promotion_id, product_id from asked_promotions;

create or replace table features.demand_population as
select *
from night.features.demand_population
where cutoff_date = getvariable('as_of_date') and product_id in (select product_id from asked_promotions);
