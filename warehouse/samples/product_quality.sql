-- One row per product that has been sold and origin: how it will be rated in the days ahead, against what was heard of
-- it before. Training looks every week; its labels end where validation begins. Empty without reviews.
create or replace table samples.product_quality as
with bounds as (
    select
        cast(getvariable('as_of_date') as date) as as_of,
        cast(getvariable('horizon_days') as integer) as horizon,
        cast(getvariable('train_cutoffs') as integer) as train_cutoffs,
        (select staging.first_cutoff(min(business_date)) from known_lines) as earliest,
        (select count(stars) > 0 from after_sales) as has_reviews
),
described as (
    select cutoff_date, fold from features.cutoffs where fold in ('serve', 'test', 'validation', 'train')
),
origins as (
    select cutoff_date as origin_date, fold from described, bounds where fold <> 'train' and has_reviews
    union all
    select as_of - 3 * horizon - 7 * cast(week as integer), 'train'
    from bounds, range(0, train_cutoffs * horizon // 7) as weeks (week)
    where as_of - 3 * horizon - 7 * cast(week as integer) >= earliest and has_reviews
),
ratings as (
    select product_id, business_date, stars from after_sales where stars is not null
),
ahead as (
    select product_id, origin_date, avg(stars) as rating, count(*) as ratings
    from origins
    join ratings on business_date >= origin_date, bounds
    where business_date < origin_date + horizon
    group by product_id, origin_date
),
records as (
    select
        products.product_id,
        origin_date,
        fold,
        category,
        brand,
        past.lines,
        past.returns,
        past.contacts,
        past.ratings,
        past.stars,
        shop.rating as shop_rating,
        shop.return_ratio,
        shop.contact_ratio
    from staging.products
    cross join origins
    asof join product_after_sales as past
        on past.product_id = products.product_id and past.business_date < origins.origin_date
    asof join shop_after_sales as shop on shop.business_date < origins.origin_date, bounds
    where is_recommendable
),
-- What is heard of a product's brand and of its category stands in for what is not heard of it yet.
levels as (
    select
        *,
        (stars + 5 * shop_rating) / (ratings + 5) as rating,
        (sum(stars) over of_brand + 5 * shop_rating) / (sum(ratings) over of_brand + 5) as brand_rating,
        (sum(stars) over of_category + 5 * shop_rating) / (sum(ratings) over of_category + 5) as category_rating,
        (returns + 20 * return_ratio) / (lines + 20) as product_return_ratio,
        (sum(returns) over of_category + 20 * return_ratio) / (sum(lines) over of_category + 20)
            as category_return_ratio,
        (contacts + 20 * contact_ratio) / (lines + 20) as product_contact_ratio
    from records
    window
        of_brand as (partition by origin_date, brand),
        of_category as (partition by origin_date, category)
)
select
    levels.product_id,
    levels.origin_date,
    coalesce(described.cutoff_date, levels.origin_date) as cutoff_date,
    levels.fold,
    cast(coalesce(ahead.ratings, 1) as float) as sample_weight,
    case when levels.fold <> 'serve' then cast(ahead.rating as float) end as label_rating,
    cast(levels.rating as float) as base_rating,
    cast(ln(1 + levels.ratings) as float) as ctx_log_ratings,
    cast(levels.rating - shop_rating as float) as ctx_rating_over_shop,
    cast(brand_rating - shop_rating as float) as ctx_brand_rating_over_shop,
    cast(category_rating - shop_rating as float) as ctx_category_rating_over_shop,
    cast(ln((product_return_ratio + 0.001) / (category_return_ratio + 0.001)) as float) as ctx_log_return_ratio_over_category,
    cast(ln((product_contact_ratio + 0.0001) / (contact_ratio + 0.0001)) as float) as ctx_log_contact_ratio_over_shop,
    cast(ln(greatest(lines, 1)) as float) as ctx_log_lines
from levels
left join ahead on ahead.product_id = levels.product_id and ahead.origin_date = levels.origin_date
asof left join described on described.cutoff_date <= levels.origin_date
order by levels.origin_date, levels.product_id;
