-- One row per user that a night may know. Whoever asked for erasure is gone, also from nights before: privacy comes
-- before a faithful backfill. `user_index` numbers them for arrays.
create or replace table staging.users as
select
    user_id,
    cast(row_number() over (order by user_id) - 1 as integer) as user_index,
    country,
    region,
    acquisition_channel,
    age_band,
    gender,
    income_band,
    household_size,
    has_marketing_consent
from raw.users
where erased_at is null;
