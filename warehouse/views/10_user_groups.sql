-- One row per user that a night may know: whether the user is held out of the model's decisions, and the variants of the
-- experiments that run. It hangs on the user id and a salt alone, so that a user is treated alike every night, and
-- experiments divide users independently of each other.

-- The point of [0, 1) at which a user stands: 52 bits of SHA-256, which a double holds exactly.
create or replace temp macro assignment_point(salt, user_id) as
    cast('0x' || sha256(salt || ':' || user_id)[:13] as ubigint) / 4503599627370496e0;

create or replace temp table assignments as
with held_out as (
    select
        user_id,
        assignment_point(getvariable('holdout_salt'), user_id) < getvariable('holdout_ratio') as is_holdout
    from staging.users
),
running as (
    select *
    from experiment_arms
    where starts_on <= getvariable('as_of_date') and coalesce(ends_on > getvariable('as_of_date'), true)
),
points as (
    select user_id, experiment, assignment_point(salt, user_id) as point
    from held_out, (select distinct experiment, salt from running)
    where not is_holdout
)
select user_id, 'holdout' as experiment, if(is_holdout, 'held_out', 'served') as variant, null as exploration_ratio,
    null as order_by
from held_out
where getvariable('holdout_ratio') > 0
union all
select user_id, experiment, variant, exploration_ratio, order_by
from points
join running using (experiment)
where point >= low and point < high;

create or replace temp table user_groups as
select
    user_id,
    coalesce(bool_or(variant = 'held_out') filter (experiment = 'holdout'), false) as is_holdout,
    string_agg(experiment || '/' || variant, ', ' order by experiment) filter (experiment <> 'holdout') as variant,
    -- Experiments that run at one time change different things.
    max(exploration_ratio) as exploration_ratio,
    max(order_by) as order_by
from staging.users
left join assignments using (user_id)
group by user_id
