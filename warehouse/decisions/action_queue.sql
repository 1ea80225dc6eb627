-- One row per action worth taking, most valuable first.
select
    rank,
    head,
    action,
    object_type,
    object_id,
    do_by_date,
    value_at_stake,
    if(is_margin, 'margin', 'revenue') as value_basis,
    model_version,
    is_fallback,
    evidence_level,
    primary_reason
from action_ranks
join proposed_actions on proposed_actions.rowid = action_row
