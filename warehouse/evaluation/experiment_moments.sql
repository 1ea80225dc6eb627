-- One row per experiment, variant and metric: sums over the users of the variant of what each did from the assignment on
-- and in the 84 days before it. Users whose variant changed, because somebody changed the shares, are of neither. Decimals,
-- so that sums do not depend on the order in which threads add.
create or replace temp table experiment_moments as
with exposed as (
    select experiment, variant, user_id, assigned_on, least(coalesce(ends_on, until_date), until_date) as until_date
    from ops.experiment_assignments
    join experiment_controls using (experiment), (select getvariable('as_of_date') as until_date)
    where run_id in (select run_id from ops.releases)
        and user_id in (select user_id from staging.users)
    qualify count(*) over (partition by experiment, user_id) = 1
),
compared as (
    select * from exposed where assigned_on < until_date
),
standing_lines as (
    select
        user_id,
        staging.business_date(ordered_at) as day,
        order_id,
        coalesce(line_total, quantity * sold_price, 0) as revenue,
        revenue - quantity * unit_cost as margin
    from raw.orders
    join raw.order_lines using (order_id)
    left join raw.products using (product_id)
    where status is distinct from 'cancelled' and cancelled_at is null
),
days as (
    select 'orders' as metric, user_id, day, count(distinct order_id) as amount from standing_lines group by all
    union all
    select 'revenue', user_id, day, sum(revenue) from standing_lines group by all
    union all
    -- Of a line whose cost is not known, no margin is counted.
    select 'margin', user_id, day, sum(margin) from standing_lines group by all having count(margin) > 0
    union all
    select 'contacts', user_id, staging.business_date(created_at), count(*) from raw.service_tickets group by all
),
metrics as (
    select distinct metric from days
),
counted as (
    select
        experiment,
        compared.user_id,
        metric,
        sum(amount) filter (day >= assigned_on and day < until_date) as amount,
        sum(amount) filter (day < assigned_on and day >= assigned_on - 84) as amount_before
    from compared
    join days using (user_id)
    group by all
),
-- Who did nothing counts as well.
by_user as (
    select
        experiment,
        variant,
        metric,
        assigned_on,
        until_date,
        cast(coalesce(amount, 0) as decimal(18, 4)) as amount,
        cast(coalesce(amount_before, 0) as decimal(18, 4)) as amount_before
    from compared
    cross join metrics
    left join counted using (experiment, user_id, metric)
)
select
    experiment,
    variant,
    metric,
    cast(count(*) as double) as users,
    cast(sum(amount) as double) as total,
    cast(sum(amount * amount) as double) as squares,
    cast(sum(amount_before) as double) as before_total,
    cast(sum(amount_before * amount_before) as double) as before_squares,
    cast(sum(amount * amount_before) as double) as product,
    min(assigned_on) as first_assigned_on,
    max(until_date) as until_date
from by_user
group by experiment, variant, metric
;

-- One row per variant, metric and control that it is compared with.
create or replace temp table experiment_pairs as
select
    row_number() over (order by experiment, sides.variant, metric) - 1 as pair,
    experiment,
    sides.variant as variant,
    control,
    metric
from experiment_moments as sides
join experiment_controls using (experiment)
semi join experiment_moments as control_side
    on control_side.experiment = sides.experiment
    and control_side.metric = sides.metric
    and control_side.variant = control
where sides.variant <> control
