-- What the feature SQL calls that PostgreSQL lacks. First the macros of warehouse/staging/schemas.sql, in a shop on UTC.
create schema staging;
create function staging.local_time(moment timestamp) returns timestamp immutable language sql
    as $$ select moment at time zone 'UTC' at time zone :time_zone $$;
create function staging.business_date(moment timestamp) returns date immutable language sql
    as $$ select cast(staging.local_time(moment) as date) $$;
create function staging.week_start(day date) returns date immutable language sql
    as $$ select date :as_of_date - 7 * cast(ceil((date :as_of_date - day) / 7.0) as integer) $$;
create function staging.first_cutoff(first_date date) returns date immutable language sql
    as $$ select first_date + least(:minimum_history_days, (date :as_of_date - first_date) / 4) $$;

-- Then functions of DuckDB under the names that sqlglot leaves them.
create function public.contains(text, text) returns boolean immutable language sql
    as $$ select position($2 in $1) > 0 $$;
create function public.day_of_year(day date) returns integer immutable language sql
    as $$ select cast(extract(doy from day) as integer) $$;
create function public.dayofweek_iso(day date) returns integer immutable language sql
    as $$ select cast(extract(isodow from day) as integer) $$;
create function public.date_from_parts(year numeric, month integer, day integer) returns date immutable language sql
    as $$ select make_date(cast(year as integer), month, day) $$;
create function public.split(text, text) returns text[] immutable language sql
    as $$ select string_to_array($1, $2) $$;
create function public.length(text[]) returns integer immutable language sql
    as $$ select cardinality($1) $$;
create function public.list_avg(bigint[]) returns double precision immutable language sql
    as $$ select cast(avg(value) as double precision) from unnest($1) as items (value) $$;
create function public.round(value double precision, digits integer) returns double precision immutable language sql
    as $$ select cast(round(cast(value as numeric), digits) as double precision) $$;
set search_path = public, pg_catalog;
