-- One row per ordered pair of tasks: how far their gradients agree where they share.
select
    replace(task, '_', ' ') as task,
    replace(other_task, '_', ' ') as other_task,
    gradient_cosine,
    learned_correlation,
    gain_over_single
from tonight.ops.task_interactions
where run_id = getvariable('run_id')
order by task, other_task
