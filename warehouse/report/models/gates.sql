-- One row per task and expert: the mean share of the expert in what the task's rows get.
select replace(task, '_', ' ') as task, replace(expert, '_', ' ') as expert, share
from tonight.ops.expert_shares
where run_id = getvariable('run_id')
order by all
