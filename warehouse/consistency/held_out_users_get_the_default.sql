-- Who is held out sees what everyone sees and gets no offer, no message and no win-back, on every table alike.
with held_out as (
    select user_id from user_groups where is_holdout
),
everyone as (
    select distinct product_id from predictions.product_recommendations where user_id = 'everyone'
)
select format('{} in {} of a user held out', product_id, placement)
from predictions.product_recommendations
semi join held_out using (user_id)
where placement <> 'for_you' or product_id not in (select product_id from everyone)
union all
select format('campaign {} for a user held out', promotion_id)
from predictions.promotion_recommendations
semi join held_out using (user_id)
where is_recommended
union all
select format('action {} for a user held out', rank)
from predictions.action_queue
semi join held_out on user_id = object_id
where object_type = 'user'
union all
select format('a message about order {}', order_id)
from predictions.order_contact_risks
join raw.orders using (order_id)
semi join held_out using (user_id)
where is_message_worthwhile
union all
select 'a user held out is not flagged'
from predictions.user_profiles
semi join held_out using (user_id)
where not is_holdout
