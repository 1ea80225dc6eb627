-- One row per campaign and household that was offered it.
select
    campaign_id::varchar as campaign_id,
    household_id::varchar as user_id,
    input_name as _input_name
from cj_targets
join cj_wanted on cj_wanted.part::bigint = campaign_id
