-- One row per head about which people decided something: in the 28 days before, and what stands tonight.
select head, accepted, rejected, overridden, standing, rows_overridden, rows_overruling, expected_gain
from tonight.ops.decision_counts
where run_id = getvariable('run_id') and accepted + rejected + overridden + standing > 0
order by head
