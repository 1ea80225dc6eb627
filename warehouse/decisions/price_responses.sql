-- One row per product and price of its grid.
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
    format(
        'At {:.2f} about {:.1f} units and {:.2f} {} in 28 days; each 1% dearer sells {:.2f}% less.',
        price, expected_units, expected_revenue, currency, -elasticity
    ) as primary_reason
from price_grid
join priced_products using (product_row)
