-- Tonight's alerts: each measure once, of the latest night that is over, and each table and prediction that drifted. An
-- alert is new when the night before, the latest of an earlier day, did not raise it.
insert into ops.alerts by name
with latest as (
    select *
    from ops.outcomes
    where is_mature and not is_rolled_back and known_until = getvariable('as_of_date')
    qualify row_number() over (partition by head, task, metric order by as_of_date desc, run_id desc) = 1
),
outcome_alerts as (
    select
        'outcome' as kind,
        head,
        concat_ws('.', head, task, metric) as subject,
        format(
            '{}: {} {} of the night of {} came to {:.3g}', head, task, replace(metric, '_', ' '), as_of_date, value
        )
        || coalesce(format(', {:.3g} was promised', promised_value), '')
        || coalesce(format(', naive had {:.3g}', baseline_value), '')
        || '.' as message,
        case
            when is_higher_better and value < baseline_value or not is_higher_better and value > baseline_value
                then 'Do not act on this head until its gate is passed on recent weeks: compare ops.model_metrics of '
                    || 'the nights since, and look at ops.drift_metrics for what has changed.'
            when metric in ('rate', 'bias_percent') or starts_with(metric, 'coverage_p')
                then 'Use the order of its predictions, not their size: see ops.outcome_calibration, and train from '
                    || 'scratch (model.warm_start = false) if it lasts.'
            else 'It still beats naive, by less than it promised: look at ops.drift_metrics for what has changed since, '
                || 'and let fivefold tune look for better settings.'
        end as remedy,
        value,
        promised_value as threshold,
        run_id as about_run_id,
        if(is_higher_better is null, 2, 1) as gravity,
        abs(value / nullif(promised_value, 0) - 1) as size
    from latest
    where is_alert
),
drifted as (
    select *, split_part(subject, '.', 1) as place
    from ops.drift_metrics
    where run_id = getvariable('run_id') and is_alert
),
-- Features of a table are one finding, however many have moved.
compared as (
    select split_part(subject, '.', 1) as place, count(*) as features
    from ops.drift_metrics
    where run_id = getvariable('run_id') and kind = 'feature'
    group by place
),
moved as (
    select
        place,
        count(*) as features,
        max(value) as value,
        arg_max(threshold, value) as threshold,
        arg_max(split_part(subject, '.', 2), value) as feature
    from drifted
    where kind = 'feature'
    group by place
),
feature_alerts as (
    select
        'drift' as kind,
        null as head,
        place as subject,
        format(
            '{} of {} features of {} moved since training, most of all {} (PSI {:.2f}).',
            moved.features, compared.features, place, feature, value
        ) as message,
        'Check the feeds behind it first (ops.quality_checks, ops.loads); if the shop has really changed, train from '
            || 'scratch (model.warm_start = false) and watch the gates.' as remedy,
        value,
        threshold,
        getvariable('run_id') as about_run_id,
        4 as gravity,
        value as size
    from moved
    join compared using (place)
),
table_alerts as (
    select 'drift', null, subject,
        format('The rows of {} can be told from those of training with an AUC of {:.2f}, {}.', subject, value, detail),
        'No feature has moved far by itself: look at how those named go together.',
        value, threshold, run_id, 4, value
    from drifted
    where kind = 'table' and place not in (select place from moved)
),
prediction_alerts as (
    select 'drift', null, subject,
        format(
            'The predictions {} moved since training (PSI {:.2f}), their mean from {:.3g} to {:.3g}.',
            subject, value, reference_mean, current_mean
        ),
        'If no feature behind it has moved, compare tonight''s gate with those before (ops.model_metrics); '
            || 'fivefold rollback shows readers the night before.',
        value, threshold, run_id, 3, value
    from drifted
    where kind = 'prediction'
),
found as (
    from outcome_alerts
    union all
    from prediction_alerts
    union all
    from feature_alerts
    union all
    from table_alerts
),
night_before as (
    select run_id
    from ops.runs
    where as_of_date < getvariable('as_of_date') and status = 'released'
    order by as_of_date desc, started_at desc
    limit 1
)
select
    getvariable('run_id') as run_id,
    getvariable('as_of_date') as as_of_date,
    row_number() over (order by gravity, size desc nulls last, subject) as alert_number,
    kind,
    head,
    subject,
    message,
    remedy,
    value,
    threshold,
    about_run_id,
    (kind, subject) not in (select (kind, subject) from ops.alerts semi join night_before using (run_id)) as is_new
from found
