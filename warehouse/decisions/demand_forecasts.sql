-- One row per product, site and coming 7-day period.
select
    product_id,
    site_id,
    week_start as forecast_date,
    7 as period_days,
    demand_units_p10,
    demand_units_p50,
    demand_units_p90,
    demand_units_p95,
    demand_units_mean,
    cast(price_assumed as decimal(18, 4)) as price_assumed,
    is_promoted,
    model_version,
    is_fallback,
    evidence_level,
    case evidence_level
        when 'own_history' then 'From its own sales'
        when 'similar' then 'From sales of products like it, as it has sold little'
        else 'From sales of the whole shop, as it has hardly sold'
    end
    || coalesce(', at ' || cast(price_assumed as decimal(18, 2)), '')
    || if(is_repriced, ', the price that is set tonight', '')
    || if(is_promoted, ', with the promotion that is announced.', ', without a promotion.') as primary_reason
from charged_demand
