"""Rows that break a critical rule: found in one scan, and set aside with every rule they break."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb

from warehouse.contracts.table import Rule, Table, literal, quote
from warehouse.validation.rules_sql import duplicated_keys, fetch_row, quoted_list
from warehouse.validation.scope import Scope


@dataclass(frozen=True, kw_only=True)
class BrokenRows:
    """The rows of one feed that have to leave it, in the temporary table `rows` (row_id, broken_rules).

    `by_rule` counts the rows that break each row rule; `row_count` those that leave: of rows that share a key all
    break the rule, and one stays.
    """

    table: Table
    rows: str
    row_count: int
    by_rule: dict[str, int]


def find_broken_rows(con: duckdb.DuckDBPyConnection, scope: Scope, ambiguous: Sequence[Rule] = ()) -> BrokenRows:
    """Judge the new rows by the critical row rules, without changing the feed.

    `ambiguous`: the uniqueness rules that are known to be broken; the others need no second look. Of the rows that
    share a key one stays: one that breaks no other rule, of the latest load, the greatest in content.
    """
    table = scope.table
    predicates = {rule.name: rule.violation for rule in critical_row_rules(table) if rule.kind != "unique"}
    judged, rows = quote(f"judged_{table.name}"), quote(f"broken_{table.name}")
    # Most rows are sound, so one predicate finds the others and only those get a list of names.
    names = ", ".join(f"case when {violation} then {literal(name)} end" for name, violation in predicates.items())
    con.execute(
        f"create or replace temp table {judged} as "
        f"select rowid as row_id, list_filter([{names or 'null'}]::varchar[], lambda name: name is not null) "
        f"as broken_rules from {table.qualified_name} "
        f"where {scope.is_new} and ({' or '.join(predicates.values()) or 'false'})"
    )
    parts = [f"select row_id, broken_rules from {judged}"]
    parts += [_surplus(scope, rule, judged) for rule in ambiguous]
    con.execute(
        f"create or replace temp table {rows} as "
        f"select row_id, list_sort(list_distinct(flatten(list(broken_rules)))) as broken_rules "
        f"from ({' union all '.join(parts)}) as verdicts group by row_id"
    )
    counted = con.execute(
        f"select rule, count(*) from {judged}, unnest(broken_rules) as names (rule) group by rule"
    ).fetchall()
    con.execute(f"drop table {judged}")
    (row_count,) = fetch_row(con, f"select count(*) from {rows}")
    return BrokenRows(
        table=table, rows=rows, row_count=row_count, by_rule={**dict.fromkeys(predicates, 0), **dict(counted)}
    )


def critical_row_rules(table: Table) -> list[Rule]:
    """The rules whose broken rows leave the feed."""
    return [rule for rule in table.all_rules if rule.scope == "row" and rule.severity == "critical"]


def set_aside(con: duckdb.DuckDBPyConnection, run_id: str, broken: BrokenRows, row_limit: int) -> None:
    """Move the broken rows from the feed to `ops.quarantined_rows`; beyond `row_limit` they leave unrecorded.

    The caller holds a transaction. Rows are numbered by key and content, so that a re-run numbers them alike.
    """
    if broken.row_count == 0:
        return
    table = broken.table
    columns = (*table.column_names, "_load_id")
    con.execute(
        f"""
        create or replace temp table leaving as
        with leaving_rows as (
            select {_as_json(table.key)} as row_key,
                   {_as_json(columns)} as row_json,
                   array_to_string(broken_rules, ',') as broken_rules,
                   _load_id as load_id
            from {table.qualified_name} as feed_rows
            join {broken.rows} as broken on broken.row_id = feed_rows.rowid
        )
        select row_number() over (order by row_key, row_json) as place, *
        from leaving_rows
        """
    )
    con.execute(
        """
        insert into ops.quarantined_rows
            (run_id, table_name, row_number, row_key, broken_rules, row_json, input_name, load_id, quarantined_at)
        select $run_id, $table_name, $last_number + place,
               row_key, broken_rules, row_json, input_name, load_id, now() at time zone 'UTC'
        from leaving
        left join ops.loads using (load_id)
        where place <= $row_limit
        order by place
        """,
        {
            "run_id": run_id,
            "table_name": table.name,
            "last_number": last_row_number(con, run_id, table.name),
            "row_limit": row_limit,
        },
    )
    con.execute(
        """
        update ops.loads set rows_unrecorded = coalesce(rows_unrecorded, 0) + row_count
        from (select load_id as from_load, count(*) as row_count from leaving where place > $1 group by load_id) as rest
        where load_id = from_load
        """,
        [row_limit],
    )
    con.execute("drop table leaving")
    con.execute(f"delete from {table.qualified_name} where rowid in (select row_id from {broken.rows})")


def last_row_number(con: duckdb.DuckDBPyConnection, run_id: str, table_name: str) -> int:
    """The highest number that the night has given to a quarantined row of the feed; 0 before the first."""
    query = "select coalesce(max(row_number), 0) from ops.quarantined_rows where run_id = $1 and table_name = $2"
    ((number,),) = con.execute(query, [run_id, table_name]).fetchall()
    return int(number)


def _surplus(scope: Scope, rule: Rule, judged: str) -> str:
    """A query for every row that shares its key with a better one."""
    whole_table = scope.table.qualified_name
    same_key = " and ".join(f"feed_rows.{quote(name)} is not distinct from keys.{quote(name)}" for name in rule.columns)
    return (
        f"select row_id, [{literal(rule.name)}] as broken_rules from ("
        f"select feed_rows.rowid as row_id, row_number() over (partition by {quoted_list(rule.columns, 'feed_rows.')} "
        f"order by judged.row_id is not null, feed_rows._load_id desc nulls last, feed_rows desc) as position "
        f"from {whole_table} as feed_rows "
        f"join ({duplicated_keys(rule, scope.relation, whole_table)}) as keys on {same_key} "
        f"left join {judged} as judged on judged.row_id = feed_rows.rowid) as ranked where position > 1"
    )


def _as_json(names: Sequence[str]) -> str:
    """A JSON object of the columns, every value as text: DuckDB's text of a value reads back as the same value."""
    parts = ", ".join(f"{quote(name)} := cast(feed_rows.{quote(name)} as varchar)" for name in names)
    return f"to_json(struct_pack({parts}))"
