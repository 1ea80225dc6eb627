-- Whose chance of redeeming is explained: the users most likely to, and of each campaign in the queue the best users.
(
    select
        'promotion_recommendations' as table_name,
        concat_ws('|', user_id, promotion_id) as object_id,
        user_id,
        promotion_id as campaign_id
    from predictions.promotion_recommendations
    order by is_recommended desc, redemption_probability desc, user_id, promotion_id
    limit getvariable('explained_rows')
)
union all
(
    select 'action_queue', cast(queue.rank as varchar), offers.user_id, offers.promotion_id
    from predictions.action_queue as queue
    join predictions.promotion_recommendations as offers on offers.promotion_id = queue.object_id
    where queue.head = 'promotion' and offers.is_recommended
    qualify row_number() over (
        partition by queue.rank order by offers.redemption_probability desc, offers.user_id
    ) <= getvariable('explained_rows_each')
)
