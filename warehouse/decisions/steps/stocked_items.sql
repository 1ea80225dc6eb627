-- One row per product and site to replenish; item_row numbers them from 0 for arrays. What is ordered covers the
-- forecast at the price that will be charged, or what tonight's lists would sell if that is more. Where several sites
-- keep a product, each covers its share of what the whole shop is to sell: one site's stock does not serve another's door.
create or replace temp table stocked_items as
with forecasts as (
    select
        product_id,
        site_id as forecast_site_id,
        min(evidence_level) as evidence_level,
        any_value(model_version) as model_version,
        bool_or(is_fallback) as is_fallback,
        sum(demand_units_mean order by week_start) as units_28d,
        arg_min(price_assumed, week_start) as price
    from charged_demand
    group by all
),
-- The forecast has learned from purchases of all kinds, those from lists included: the two are not added up.
listed as (
    select
        product_id,
        wished_units,
        greatest(wished_units / nullif(sum(units_28d), 0), 1) as list_ratio
    from forecasts
    join offered_products using (product_id)
    join wished_purchases using (product_index)
    group by product_id, wished_units
),
-- Eight weeks are enough to tell the sites apart; one unit more for each, so that none that keeps it has no share.
site_sales as (
    select product_id, ship_from_site_id as site_id, sum(quantity) as units
    from raw.order_lines
    join raw.orders using (order_id)
    where ordered_at >= getvariable('as_of_date') - interval 57 days
        and ordered_at < getvariable('as_of_date') - interval 1 day
    group by all
),
site_shares as (
    select
        product_id,
        site_id,
        (coalesce(units, 0) + 1) / sum(coalesce(units, 0) + 1) over (partition by product_id) as site_share
    from stock
    left join site_sales using (product_id, site_id)
    where site_id <> 'all'
    qualify count(*) over (partition by product_id) > 1
),
items as (
    select
        forecasts.* replace (coalesce(site_share, 1) * units_28d as units_28d),
        coalesce(site_id, forecast_site_id) as site_id,
        coalesce(site_share, 1) as site_share
    from forecasts
    left join site_shares on site_shares.product_id = forecasts.product_id and forecast_site_id = 'all'
),
marked_down as (
    select product_id
    from predictions.price_recommendations
    where recommended_price < current_price and review_status = 'auto_apply'
),
terms as (
    select
        items.*,
        offered_products.product_title,
        replenishment_policies.* exclude (product_id),
        position_units,
        available_units + arriving_7d_units as week_units,
        cast(price - unit_cost as double) as unit_margin,
        cast(unit_cost as double) * holding_cost_ratio / 365 as unit_holding_cost_per_day,
        site_share * wished_units as wished_units,
        coalesce(list_ratio, 1) as list_ratio,
        days_on_sale,
        marked_down.product_id is not null as is_marked_down,
        coalesce(own.decision_id, every_site.decision_id) as decision_id,
        coalesce(own.valid_until, every_site.valid_until) as decided_until,
        -- A rejection orders nothing.
        case coalesce(own.action, every_site.action)
            when 'overridden' then own.value
            when 'rejected' then 0
        end as decided_units
    from items
    join offered_products using (product_id)
    join replenishment_policies using (product_id)
    left join stock on stock.product_id = items.product_id and stock.site_id = items.site_id
    left join listed on listed.product_id = items.product_id
    left join marked_down on marked_down.product_id = items.product_id
    left join standing_decisions as own
        on own.head = 'supply' and own.product_id = items.product_id and own.site_id = items.site_id
    left join standing_decisions as every_site
        on every_site.head = 'supply' and every_site.product_id = items.product_id and every_site.site_id is null
)
select
    cast(row_number() over (order by product_id, site_id) - 1 as bigint) as item_row,
    *,
    -- A rule's; else the newsvendor's, to whom one unit too few costs its margin and one too many its holding until the
    -- next order; else that of the settings.
    coalesce(
        agreed_service_level,
        if(
            unit_margin > 0 and unit_holding_cost_per_day > 0,
            least(greatest(unit_margin / (unit_margin + unit_holding_cost_per_day * review_days), 0.5), 0.995),
            null
        ),
        getvariable('service_level')
    ) as service_level
from terms
order by item_row
