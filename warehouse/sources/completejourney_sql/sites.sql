-- One row per store, on the day of its first basket.
with stores as (
    select store_id, min(business_date) as first_seen_on
    from cj_baskets
    group by store_id
)

select
    store_id::varchar as site_id,
    'store' as site_type,
    input_name as _input_name
from stores
join cj_wanted on cj_wanted.part::date = first_seen_on
