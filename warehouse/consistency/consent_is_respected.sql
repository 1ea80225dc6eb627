-- No campaign and no win-back is proposed for a user who has not agreed to marketing.
with refusing as (
    select user_id from raw.users where not has_marketing_consent
)
select format('campaign {} for a user without consent', promotion_id)
from predictions.promotion_recommendations
semi join refusing using (user_id)
where is_recommended
union all
select format('action {} for a user without consent', rank)
from predictions.action_queue
semi join refusing on user_id = object_id
where object_type = 'user'
