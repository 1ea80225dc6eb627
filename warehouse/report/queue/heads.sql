-- One row per head that proposes something: how much there is to do, and what it is worth.
select
    head,
    count(*) as actions,
    count(*) filter (do_by_date <= getvariable('as_of_date')) as due_today,
    sum(value_at_stake) as value_at_stake
from tonight.predictions.action_queue
group by head
order by min(rank)
