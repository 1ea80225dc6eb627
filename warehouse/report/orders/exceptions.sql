-- One row per site and what is unusual there.
select
    site_id,
    case exception_type
        when 'stockout_risk' then 'may run out'
        when 'overstock' then 'overstocked'
        when 'no_inventory_data' then 'stock not known'
        else 'as it should be'
    end as exception,
    count(*) as positions
from tonight.predictions.replenishment_recommendations
group by all
order by all
