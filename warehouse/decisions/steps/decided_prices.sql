-- Prices that people decided, beside the model's, and what they gain by its curves.
delete from ops.decision_effects where run_id = getvariable('run_id') and head = 'pricing';

insert into ops.decision_effects by name
select
    getvariable('run_id') as run_id,
    priced_products.decision_id,
    'pricing' as head,
    'price_recommendations' as table_name,
    product_id as object_id,
    price_modelled as model_value,
    price_then as decided_value,
    money_over_modelled as expected_gain,
    if(unit_cost is not null, 'margin', 'revenue') as value_basis,
    nullif(split_part(binding_rule, ' above ', 2), '') as overruled
from price_choices
join priced_products using (product_row)
join predictions.price_recommendations using (product_id)
where priced_products.decision_id is not null
order by object_id
