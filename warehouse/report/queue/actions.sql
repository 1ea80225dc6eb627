-- One row per action worth taking, most valuable first, with the reasons that the model gives for it.
with sentences as (
    select object_id, list(sentence order by rank) as sentences
    from tonight.ops.explanations
    where table_name = 'action_queue' and sentence is not null
    group by object_id
)
select
    actions.rank,
    actions.head,
    actions.action,
    actions.do_by_date,
    actions.value_at_stake,
    actions.value_basis,
    actions.primary_reason,
    actions.evidence_level,
    actions.is_fallback,
    coalesce(sentences.sentences, []) as sentences
from tonight.predictions.action_queue as actions
left join sentences on sentences.object_id = cast(actions.rank as varchar)
order by actions.rank
