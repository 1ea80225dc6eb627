-- One row per product and price of its grid.
with slopes as (
    -- Written once for each product: a night has hundreds of thousands of prices.
    select *, format('Each 1% dearer sells {:.2f}% less', -elasticity) as slope from priced_products
)
select
    product_id,
    cast(price as decimal(18, 4)) as price,
    expected_units,
    expected_revenue,
    expected_margin,
    guardrail = 0 as is_allowed,
    names[guardrail] as binding_rule,
    model_version,
    is_fallback,
    evidence_level,
    slope || coalesce('; ' || names[guardrail] || ' forbids this price.', '.') as primary_reason
from price_grid
join slopes using (product_row)
