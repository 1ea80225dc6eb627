-- Users who asked to be erased appear in no table.
with named as (
    select user_id, 'user_profiles' as table_name from predictions.user_profiles
    union all
    select user_id, 'product_recommendations' from predictions.product_recommendations
    union all
    select user_id, 'promotion_recommendations' from predictions.promotion_recommendations
    union all
    select object_id, 'action_queue' from predictions.action_queue where object_type = 'user'
    union all
    select user_id, 'order_contact_risks' from predictions.order_contact_risks join raw.orders using (order_id)
    union all
    select user_id, 'ticket_predictions' from predictions.ticket_predictions join raw.service_tickets using (ticket_id)
)
select format('a user erased before in {}', table_name)
from (select distinct * from named)
where user_id in (select user_id from raw.users where erased_at is not null)
    or sha256(user_id) in (select user_hash from ops.erased_users)
    -- Under this id the orders of erased users stay: demand may count them, nothing about a person may.
    or user_id = 'erased'
