-- One row per promotion and product, with the stores that ran it; a store that is not listed did not.
with placements as (
    select week, display_location, mailer_location, product_id, list(store_id) as store_ids
    from cj_promotions
    semi join cj_wanted on cj_wanted.part::bigint = week
    group by week, display_location, mailer_location, product_id
)

select
    concat_ws('-', week, display_location, mailer_location) as promotion_id,
    product_id::varchar as product_id,
    store_ids::varchar[] as site_ids,
    input_name as _input_name
from placements
join cj_wanted on cj_wanted.part::bigint = week
