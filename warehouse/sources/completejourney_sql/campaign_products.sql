-- One row per campaign and product that one of its coupons covers; the package repeats some pairs.
select distinct
    campaign_id::varchar as campaign_id,
    product_id::varchar as product_id,
    input_name as _input_name
from cj_coupons
join cj_wanted on cj_wanted.part::bigint = campaign_id
