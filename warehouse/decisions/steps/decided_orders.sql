-- Orders that people decided, beside the model's, and the margin that they save from being lost for want of stock.
delete from ops.decision_effects where run_id = getvariable('run_id') and head = 'supply';

insert into ops.decision_effects by name
select
    getvariable('run_id') as run_id,
    items.decision_id,
    'supply' as head,
    'replenishment_recommendations' as table_name,
    items.product_id || '|' || items.site_id as object_id,
    modelled_order_units as model_value,
    decided_units as decided_value,
    units_served * unit_margin as expected_gain,
    'margin' as value_basis,
    if(
        decided_units > 0 and position_units > order_plans.reorder_point_units, 'no_order_above_the_reorder_point', null
    ) as overruled
from order_plans
join stocked_items as items using (item_row)
where decision_id is not null
order by object_id
