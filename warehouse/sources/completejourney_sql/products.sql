-- One row per product of the catalogue, and per product that was sold or couponed without being in it.
with uncatalogued as (
    select distinct product_id
    from (select product_id from cj_transactions union all select product_id from cj_coupons)
    anti join cj_products using (product_id)
),

catalogue as (
    select
        product_id,
        manufacturer_id,
        brand,
        coalesce(department, 'UNKNOWN') as department,
        product_category,
        product_type,
        package_size,
        -- Most fuel has its own department, but some hides among the coupons of MISCELLANEOUS.
        coalesce(department = 'FUEL', false) or coalesce(contains(product_type, 'GASOLINE'), false) as is_fuel,
        coalesce(contains(product_type, 'GIFT CARD'), false)
            or coalesce(contains(product_category, 'COUPON'), false) as is_tender,
        coalesce(
            department in ('COUPON', 'CNTRL/STORE SUP', 'POSTAL CENTER', 'GM MERCH EXP', 'PROD-WHS SALES'), true
        ) as is_not_merchandise
    from (from cj_products union all by name from uncatalogued)
)

select
    product_id::varchar as product_id,
    coalesce(concat_ws(', ', product_type, package_size).nullif(''), 'Product ' || product_id) as product_title,
    brand,
    if(is_fuel, 'FUEL', department) as category,
    concat_ws(' > ', if(is_fuel, 'FUEL', department), product_category, product_type) as category_path,
    manufacturer_id::varchar as supplier_id,
    'USD' as currency,
    not (is_fuel or is_tender or is_not_merchandise) as is_recommendable,
    input_name as _input_name
from catalogue
cross join cj_wanted
