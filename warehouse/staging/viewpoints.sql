-- Who is looked at from which cut-off: all users from those of every fold, and at the first days of campaigns their targets
-- and the others that these are compared with.
create or replace temp table viewpoints as
select user_id, cutoff_date
from staging.users
cross join features.cutoffs
where fold in ('serve', 'test', 'validation', 'train')
union
select user_id, staging.business_date(starts_at)
from raw.campaign_targets
join raw.campaigns using (campaign_id)
where staging.business_date(starts_at) in (select cutoff_date from features.cutoffs where fold = 'promotion')
union
select user_id, cutoff_date from features.campaign_controls;
