-- One row per night, measure and model: how much better than naive it was on four weeks that it had not seen.
select as_of_date, head, replace(head || ': ' || task || ' ' || metric, '_', ' ') as measure, model, 100 * gain as percent_better
from (
    select as_of_date, head, task, metric, 'joint' as model, gain from gate_measures
    union all
    select as_of_date, head, task, metric, 'champion', champion_gain from gate_measures
    union all
    select as_of_date, head, task, metric, 'alone', single_gain from gate_measures
)
where gain is not null
order by measure, as_of_date, list_position(['joint', 'champion', 'alone'], model)
