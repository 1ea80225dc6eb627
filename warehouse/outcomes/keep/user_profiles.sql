-- Of a fixed choice of users, where there are many.
select user_profiles.*, base_spend_28d, base_buys_28d, base_buys_7d
from predictions.user_profiles
left join samples.profile on profile.user_id = user_profiles.user_id and fold = 'serve'
qualify row_number() over (order by md5(user_profiles.user_id)) <= getvariable('sample_rows')
