-- One row per basket. subtotal - discount_total = order_total = what the shop received. A manufacturer's coupon is
-- refunded to the shop, so it is no discount here; the shop's own match of a coupon is one.
select
    basket_id::varchar as order_id,
    household_id::varchar as user_id,
    ordered_at,
    'completed' as status,
    'store' as channel,
    'USD' as currency,
    (received + discounted)::decimal(18, 4) as subtotal,
    discounted::decimal(18, 4) as discount_total,
    received::decimal(18, 4) as order_total,
    -- The package does not say which coupon it was.
    case when has_matched_coupon then 'matched' when has_coupon then 'manufacturer' end as coupon,
    input_name as _input_name
from cj_baskets
join cj_wanted on cj_wanted.part::date = business_date
