-- One row per column of a table's primary key, in the key's order.
select attribute.attname
from pg_index
cross join lateral unnest(pg_index.indkey::int2[]) with ordinality as part (number, place)
join pg_attribute as attribute on attribute.attrelid = pg_index.indrelid and attribute.attnum = part.number
where pg_index.indisprimary and pg_index.indrelid = format('%I.%I', $1::text, $2::text)::regclass
order by part.place
