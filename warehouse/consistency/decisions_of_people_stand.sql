-- What a person decided and still holds is what the tables say: the price, the order, the agents, and nothing rejected.
with standing as (
    select * rename (decision_id as standing_id) from standing_decisions
)
select format('decision {}: {} at {}', standing_id, product_id, recommended_price)
from standing
join predictions.price_recommendations as prices using (product_id)
where head = 'pricing'
    and abs(cast(recommended_price as double) - if(action = 'overridden', value, cast(current_price as double))) > 0.0001
union all
select format('decision {}: {:.0f} of {} at {}', standing_id, recommended_order_units, product_id, orders.site_id)
from standing
join predictions.replenishment_recommendations as orders using (product_id)
where head = 'supply'
    and coalesce(standing.site_id = orders.site_id, true)
    and coalesce(decision_id = standing_id, true)
    and recommended_order_units is distinct from if(action = 'overridden', value, 0)
union all
select format('decision {}: {} in a list {}', standing_id, product_id, placement)
from standing
join predictions.product_recommendations as lists using (product_id)
where head = 'recommendation'
    and action = 'rejected'
    and coalesce(standing.user_id = lists.user_id, true)
union all
select format('decision {}: campaign {} for a user', standing_id, promotion_id)
from standing
join predictions.promotion_recommendations as offers using (promotion_id)
where head = 'promotion'
    and action = 'rejected'
    and is_recommended
    and coalesce(standing.user_id = offers.user_id, true)
union all
select format('decision {}: {} agents by {} on {}', standing_id, required_agents, channel, forecast_date)
from standing
join predictions.service_forecasts using (channel, contact_reason)
where head = 'service'
    and action = 'overridden'
    and forecast_date < valid_until
    and required_agents <> cast(value as bigint)
union all
select format('decision {}: a message about order {}', standing_id, order_id)
from standing
join predictions.order_contact_risks using (order_id)
where head = 'service' and action = 'rejected' and is_message_worthwhile
