-- One row: what there is to order, and what is unusual.
select
    count(*) as positions,
    count(inventory_position_units) as known_positions,
    count(*) filter (recommended_order_units > 0) as orders,
    sum(recommended_order_units) as units,
    count(*) filter (recommended_order_units > 0 and order_by_date <= getvariable('as_of_date')) as due_today,
    sum(expected_lost_margin) filter (recommended_order_units > 0) as lost_margin,
    count(*) filter (exception_type = 'stockout_risk') as stockout_risks,
    count(*) filter (exception_type = 'stockout_risk' and coalesce(recommended_order_units, 0) = 0) as unanswered_risks,
    count(*) filter (exception_type = 'overstock') as overstocked,
    sum(inventory_position_units - order_up_to_units) filter (exception_type = 'overstock') as excess_units
from tonight.predictions.replenishment_recommendations
