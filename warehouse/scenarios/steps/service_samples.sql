-- The days whose orders the scenario changes, as if the last week's orders had changed alike: samples.service_days mixes
-- contacts from rates, one of which grows with the square root of the orders of the last week.
create or replace table samples.service_days as
select samples.* replace (cast(base_contacts_expected * ratio ** 0.5 as float) as base_contacts_expected)
from night.samples.service_days as samples
join ordering_ratios on forecast_date >= week_start and forecast_date < week_start + 7
where fold = 'serve' and ratio <> 1
