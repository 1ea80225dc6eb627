-- One row per product within a basket: (list_price - sold_price) x quantity = discount, to the rounding of prices.
-- What customers saw at the shelf includes the shop's match of their coupon; the regular price also adds the loyalty
-- discount. Lines of quantity 0 are money only and have no price. Quantities of fuel are thousandths, and products
-- sold by weight count 1 a piece whatever they weigh: their prices are true per line and comparable to nothing.
select
    basket_id || '-' || product_id as order_line_id,
    basket_id::varchar as order_id,
    product_id::varchar as product_id,
    cj_baskets.store_id::varchar as ship_from_site_id,
    quantity::double as quantity,
    ((sales_value + coupon_match_disc + retail_disc) / nullif(quantity, 0))::decimal(18, 4) as list_price,
    ((sales_value + coupon_match_disc) / nullif(quantity, 0))::decimal(18, 4) as sold_price,
    retail_disc::decimal(18, 4) as discount,
    sales_value::decimal(18, 4) as line_total,
    input_name as _input_name
from cj_transactions
join cj_baskets using (basket_id)
join cj_wanted on cj_wanted.part::date = business_date
