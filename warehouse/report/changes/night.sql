-- One row: the night that readers saw before, and what each expects of the coming four weeks.
select
    (select run_id from before.ops.releases where is_current) as run_id,
    (select as_of_date from before.ops.releases where is_current) as as_of_date,
    (select sum(demand_units_mean) from tonight.predictions.demand_forecasts) as units,
    (select sum(demand_units_mean) from before.predictions.demand_forecasts) as units_before,
    (select sum(expected_revenue_28d) from tonight.predictions.user_profiles) as revenue,
    (select sum(expected_revenue_28d) from before.predictions.user_profiles) as revenue_before,
    (select avg(contacts) from (
        select sum(contacts_mean) as contacts from tonight.predictions.service_forecasts group by forecast_date
    )) as contacts,
    (select avg(contacts) from (
        select sum(contacts_mean) as contacts from before.predictions.service_forecasts group by forecast_date
    )) as contacts_before
