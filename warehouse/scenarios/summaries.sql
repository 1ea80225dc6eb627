-- One row: the sums over the whole shop, of the night and of the scenario. What stays as it is counts once, in both, so
-- that a difference is that of the changed rows and nothing else.
with shop as (
    select
        sum(demand_units_night order by product_id, site_id, forecast_date) as demand_units,
        sum(revenue_night order by product_id, site_id, forecast_date) as revenue,
        sum(margin_night order by product_id, site_id, forecast_date) as margin
    from scenario_weeks
),
demand_change as (
    select
        coalesce(sum(demand_units_scenario - demand_units_night order by product_id, site_id, forecast_date), 0) as demand_units,
        coalesce(sum(revenue_scenario - revenue_night order by product_id, site_id, forecast_date), 0) as revenue,
        coalesce(sum(margin_scenario - margin_night order by product_id, site_id, forecast_date), 0) as margin
    from scenario_demand
),
orders as (
    select sum(recommended_order_units order by product_id, site_id) as units
    from night.predictions.replenishment_recommendations
),
order_change as (
    select coalesce(sum(order_units_scenario - order_units_night order by product_id, site_id), 0) as units from scenario_orders
),
lists as (
    select cast(sum(cast(purchase_probability as decimal(18, 12))) as double) as purchases
    from night.predictions.product_recommendations
    where placement = 'for_you'
),
list_change as (
    select coalesce(sum(purchases_scenario - purchases_night order by product_id), 0) as purchases
    from scenario_recommendations
    where placement = 'for_you'
),
service as (
    select
        sum(contacts_mean order by forecast_date, channel, contact_reason) as contacts,
        sum(workload_hours order by forecast_date, channel, contact_reason) as hours
    from night.predictions.service_forecasts
),
service_change as (
    select
        coalesce(sum(contacts_scenario - contacts_night order by forecast_date, channel, contact_reason), 0) as contacts,
        coalesce(sum(workload_hours_scenario - workload_hours_night order by forecast_date, channel, contact_reason), 0) as hours
    from scenario_contacts
)
select
    getvariable('run_id') as run_id,
    getvariable('as_of_date') as as_of_date,
    getvariable('question') as question,
    getvariable('asked_at') as asked_at,
    getvariable('as_of_date') + cast(getvariable('horizon_days') as integer) as until_date,
    shop.demand_units as demand_units_night,
    shop.demand_units + demand_change.demand_units as demand_units_scenario,
    shop.revenue as revenue_night,
    shop.revenue + demand_change.revenue as revenue_scenario,
    shop.margin as margin_night,
    shop.margin + demand_change.margin as margin_scenario,
    orders.units as order_units_night,
    orders.units + order_change.units as order_units_scenario,
    lists.purchases as listed_purchases_night,
    lists.purchases + list_change.purchases as listed_purchases_scenario,
    service.contacts as contacts_night,
    service.contacts + service_change.contacts as contacts_scenario,
    service.hours as workload_hours_night,
    service.hours + service_change.hours as workload_hours_scenario,
    getvariable('broken_promises') as broken_promises,
    getvariable('first_broken_promise') as first_broken_promise
from shop, demand_change, orders, order_change, lists, list_change, service, service_change
