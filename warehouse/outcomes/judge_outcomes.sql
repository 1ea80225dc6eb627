-- A measure of a night that is over is an alert when naive beats it, when it has lost much of the lead over naive with
-- which it passed its gate, or when totals, rates and coverages are off. Windows differ in how hard they are, so what a
-- measure promised is its lead: errors as a share of naive's, the rest as a difference.
create or replace temp table leads as
with beside_gates as (
    select
        outcomes.*,
        gates.baseline_value as promised_baseline_value,
        rates.value as rate
    from ops.outcomes
    join ops.model_metrics as gates using (run_id, head, task, metric)
    left join ops.outcomes as rates
        on rates.run_id = outcomes.run_id and rates.head = outcomes.head and rates.task = outcomes.task
        and rates.metric = 'rate'
    where is_gate and outcomes.promise = 'gate'
)
select
    run_id,
    head,
    task,
    metric,
    if(is_higher_better, value - baseline_value, 1 - value / nullif(baseline_value, 0)) as lead,
    if(
        is_higher_better,
        promised_value - promised_baseline_value,
        1 - promised_value / nullif(promised_baseline_value, 0)
    ) as promised_lead,
    -- Few of the rarer outcome say little about the order: two standard errors of an AUC.
    if(metric = 'auc', 2 * sqrt(value * (1 - value) / nullif(least(rate, 1 - rate) * sample_count, 0)), 0.02) as chance
from beside_gates;

update ops.outcomes
set is_alert = is_mature and coalesce(sample_count >= getvariable('minimum_rows'), false) and coalesce(
    case
        when metric = 'rate' then abs(value - promised_value) > getvariable('total_tolerance_ratio') * promised_value
            + 3 * sqrt(promised_value * (1 - promised_value) / sample_count)
        when metric = 'bias_percent' then abs(value) > 100 * getvariable('total_tolerance_ratio')
        when starts_with(metric, 'coverage_p') then abs(value - promised_value) > getvariable('coverage_tolerance')
        else exists (
            from leads
            where leads.run_id = outcomes.run_id and leads.head = outcomes.head and leads.task = outcomes.task
                and leads.metric = outcomes.metric
                and (
                    lead < -chance
                    or lead < (1 - getvariable('lost_lead_ratio')) * promised_lead - chance
                )
        )
    end,
    false
);
