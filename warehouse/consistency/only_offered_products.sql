-- Lists show only products that are on sale, may be recommended and are not excluded by a rule.
select format('{} in a list {}', product_id, placement)
from predictions.product_recommendations
left join offered_products using (product_id)
left join (
    select product_id, placement, rule_id from recommendation_policies where action = 'exclude'
) as exclusions using (product_id, placement)
where not coalesce(is_recommendable, false) or rule_id is not null
