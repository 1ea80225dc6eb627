-- One row per user that may be known to a night. Erased users are gone, also from nights before their erasure:
-- privacy comes before a faithful backfill. `user_index` numbers them for arrays.
create or replace table staging.users as
with everyone as (
    select user_id from raw.users
    union
    select user_id from raw.orders
),
-- What their orders carry instead of the id is nobody either.
erased as (
    select user_id from raw.users where erased_at is not null
    union all
    select 'erased'
)
select
    everyone.user_id,
    cast(row_number() over (order by everyone.user_id) - 1 as integer) as user_index,
    users.country,
    users.region,
    users.acquisition_channel,
    users.age_band,
    users.gender,
    users.income_band,
    users.household_size,
    users.has_marketing_consent
from everyone
left join raw.users using (user_id)
where everyone.user_id not in (select user_id from erased);
