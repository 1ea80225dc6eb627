"""The rules of a contract as plain SQL: what Great Expectations' counts are held against, and what moves rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import duckdb

from warehouse.contracts.table import Rule, Table, quote
from warehouse.validation.results import Result, result_of


def check_table(con: duckdb.DuckDBPyConnection, table: Table) -> list[Result]:
    """Every rule of the table, in declared order, by one pass over it and one more for each set of unique columns.

    Fast, and without Great Expectations: for published tables before they are released. A rule that names what
    the table has not raises duckdb.BinderException.
    """
    name = table.qualified_name
    in_one_pass = [rule for rule in table.all_rules if rule.kind != "unique"]
    totals = ["count(*)", *(_broken_rows(rule) for rule in in_one_pass)]
    rows_checked, *counts = fetch_row(con, f"select {', '.join(totals)} from {name}")
    broken = dict(zip((rule.name for rule in in_one_pass), counts, strict=True))
    for rule in table.all_rules:
        if rule.kind == "unique":
            (broken[rule.name],) = fetch_row(con, count_broken(rule, name, name))
    results = [result_of(table.name, rule, rows_checked, broken[rule.name]) for rule in table.all_rules]
    return [with_examples(con, table, result, name) for result in results]


def count_broken(rule: Rule, relation: str, whole_table: str) -> str:
    """A query for the number of rows of the relation that break the rule; uniqueness counts every row of the whole
    table that shares its key with a row of the relation; a rule about the table counts 1 if it is broken."""
    if rule.kind == "unique":
        return f"select coalesce(sum(row_count), 0)::bigint from ({duplicated_keys(rule, relation, whole_table)})"
    return f"select {_broken_rows(rule)} from {relation}"


def duplicated_keys(rule: Rule, relation: str, whole_table: str) -> str:
    """A query for the keys on more than one row of the whole table, of which at least one is in the relation.

    Columns: the key, then `row_count`. Empty values count as equal, as in `partition by`.
    """
    key = quoted_list(rule.columns)
    groups = f"select {key}, count(*) as row_count from {whole_table} as rows group by all having row_count > 1"
    if relation == whole_table:
        return groups
    # Few rows are new: only the rows of the table that share a key with one of them need to be grouped.
    same_key = " and ".join(f"rows.{quote(name)} is not distinct from new_keys.{quote(name)}" for name in rule.columns)
    return (
        f"with new_keys as (select distinct {key} from {relation}), "
        f"candidates as (select rows.* from {whole_table} as rows semi join new_keys on {same_key}) "
        f"select {key}, count(*) as row_count from candidates group by all having row_count > 1"
    )


def with_examples(con: duckdb.DuckDBPyConnection, table: Table, result: Result, relation: str) -> Result:
    """The result, with the share and the keys of three broken rows as its detail; unchanged where none is broken."""
    if result.rows_broken == 0:
        return result
    rule = next(rule for rule in table.all_rules if rule.name == result.rule)
    if rule.scope == "table":
        return replace(result, detail=f"not so, with {result.rows_checked:,} rows")
    detail = f"{result.rows_broken:,} of {result.rows_checked:,} rows"
    # A message travels: a key that tells something about a person stays in the warehouse.
    key = [name for name in (rule.columns if rule.kind == "unique" else table.key) if not table.column(name).pii]
    if key:
        broken = con.execute(_examples(rule, key, relation, table.qualified_name)).fetchall()
        detail += f", such as {', '.join(example for (example,) in broken)}"
    return replace(result, detail=detail)


def quoted_list(names: Sequence[str], prefix: str = "") -> str:
    """The names quoted for SQL, comma separated."""
    return ", ".join(prefix + quote(name) for name in names)


def fetch_row(con: duckdb.DuckDBPyConnection, query: str) -> tuple[int, ...]:
    """The only row of a query for counts."""
    (row,) = con.execute(query).fetchall()
    return tuple(row)


def _broken_rows(rule: Rule) -> str:
    """An aggregate expression: the rows that break the rule."""
    if rule.scope == "table":
        return f"case when {rule.violation} then 1 else 0 end"
    return f"count(*) filter (where {rule.violation})"


def _examples(rule: Rule, key: Sequence[str], relation: str, whole_table: str) -> str:
    """A query for the keys, as JSON, of three rows that break the rule."""
    if rule.kind == "unique":
        rows = f"({duplicated_keys(rule, relation, whole_table)})"
    else:
        rows = f"(select * from {relation} where {rule.violation})"
    parts = ", ".join(f"{quote(name)} := {quote(name)}" for name in key)
    return f"select to_json(struct_pack({parts})) from {rows} as broken order by {quoted_list(key)} limit 3"
