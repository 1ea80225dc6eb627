-- One row per product and list that a recommendation rule is about; caps are numbered for arrays.
create or replace temp table list_policies as
select
    product_index,
    list_position(getvariable('placements'), placement) as placement_number,
    bool_or(action = 'exclude') as is_excluded,
    max(weight) filter (action = 'boost') as boost,
    max(rule_id) filter (action = 'boost') as boost_rule,
    max(weight) filter (action = 'cap') as cap,
    max(rule_id) filter (action = 'cap') as cap_rule,
    dense_rank() over (order by cap_rule) - 1 as cap_number
from recommendation_policies
join offered_products using (product_id)
group by product_index, placement
