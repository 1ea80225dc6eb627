-- Of the weeks that the scenario promotes, the mean price over all days beside the one that decisions take for the week.
insert into promoted_weeks
select
    product_id,
    site_id,
    calendar_date as forecast_date,
    scenario.mean_price_assumed / scenario.price_assumed as mean_ratio
from samples.demand as scenario
join night.samples.demand as night using (product_id, site_id, cutoff_date, calendar_date, fold)
where fold = 'serve' and scenario.mean_price_assumed <> night.mean_price_assumed
