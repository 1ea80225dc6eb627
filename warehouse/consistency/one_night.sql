-- All tables are of this night, computed at one moment.
select format('{} has rows of night {}', table_name, run_id)
from (select *, max(predicted_at) over () as latest from published_rows)
where run_id <> getvariable('run_id')
    or as_of_date <> getvariable('as_of_date')
    or predicted_at <> latest
