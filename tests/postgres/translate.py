"""The feature SQL in another database's words: sqlglot, and the rules that it lacks (docs/portable-sql.md has them)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.optimizer.qualify import qualify

# Tables by schema and name: column -> type. Temporary tables are in schema `main`.
Schema = dict[str, dict[str, dict[str, str]]]
Variables = Mapping[str, float | str | date]


@dataclass(frozen=True)
class Statement:
    """A table and the query that fills it, in the other database's words."""

    schema: str
    table: str
    query: str
    inputs: frozenset[tuple[str, str]]


def translate(text: str, schema: Schema, variables: Variables, dialect: str = "postgres") -> list[Statement]:
    """What a file's `create table` statements say, in order. Errors of sqlglot where it cannot say that."""
    return [_translate(create, schema, variables, dialect) for create in sqlglot.parse(text, read="duckdb") if create]


def _translate(create: exp.Expression, schema: Schema, variables: Variables, dialect: str) -> Statement:
    assert isinstance(create, exp.Create), f"not a table: {create.sql('duckdb')[:80]}"
    target = create.this if isinstance(create.this, exp.Table) else create.this.this
    query = create.expression.transform(_with_values, variables).transform(_as_series)
    for select in query.find_all(exp.Select):
        _name_groups(select)
    query = qualify(query, dialect="duckdb", schema=schema, db="main", validate_qualify_columns=False)
    query = query.transform(_as_arrays)
    for join in [join for join in query.find_all(exp.Join) if join.method == "ASOF"]:
        _look_up_latest(join)
    inputs = {(table.db, table.name) for table in query.find_all(exp.Table) if table.db}
    return Statement(target.db or "main", target.name, query.sql(dialect, pretty=True), frozenset(inputs))


def _with_values(node: exp.Expression, variables: Variables) -> exp.Expression:
    """A variable of the night as its value."""
    if not (isinstance(node, exp.Anonymous) and node.name.lower() == "getvariable"):
        return node
    value: Any = variables[node.expressions[0].name]
    return exp.cast(exp.Literal.string(str(value)), "date") if isinstance(value, date) else exp.convert(value)


def _as_series(node: exp.Expression) -> exp.Expression:
    """range(a, b), whose end is not part of it, as generate_series(a, b - 1)."""
    if isinstance(node, exp.GenerateSeries) and node.args.get("is_end_exclusive"):
        end = exp.paren(node.args["end"].copy()) - 1
        return exp.GenerateSeries(start=node.args["start"], end=exp.cast(end, "integer"))
    return node


def _name_groups(select: exp.Select) -> None:
    """`group by all` as the columns that it stands for."""
    group = select.args.get("group")
    if group is None or not group.args.get("all"):
        return
    named = [column.unalias() for column in select.selects if not column.find(exp.AggFunc)]
    group.set("all", None)
    group.set("expressions", [column.copy() for column in named])


def _look_up_latest(join: exp.Join) -> None:
    """`asof join t on ... and t.x <= y` as a lateral join with the last such row of t."""
    table, condition = join.this, join.args["on"]
    (latest,) = condition.find_all(exp.LTE, exp.LT, exp.GTE, exp.GT)
    is_left = isinstance(latest.this, exp.Column) and latest.this.table == table.alias
    column = latest.this if is_left else latest.expression
    rows = exp.select("*").from_(table.copy()).where(condition.copy())
    newest = rows.order_by(exp.Ordered(this=column.copy(), desc=isinstance(latest, exp.LTE | exp.LT) == is_left)).limit(
        1
    )
    join.set("this", exp.Lateral(this=newest.subquery(), alias=exp.TableAlias(this=exp.to_identifier(table.alias))))
    join.set("on", exp.true())
    join.set("method", None)


def _as_arrays(node: exp.Expression) -> exp.Expression:
    """arg_max(what, by) as the first of an array in that order, any_value(what) as its least."""
    if isinstance(node, exp.Bracket) and isinstance(node.this, exp.Func):
        node.set("this", exp.paren(node.this.copy()))
        return node
    if isinstance(node, exp.AnyValue):
        return exp.Min(this=node.this)
    if not isinstance(node, exp.ArgMax | exp.ArgMin):
        return node
    by = node.expression
    keys = by.expressions if isinstance(by, exp.Tuple) else [by]
    is_descending = isinstance(node, exp.ArgMax)
    order = [exp.Ordered(this=key.copy(), desc=is_descending, nulls_first=False) for key in keys]
    values = exp.ArrayAgg(this=exp.Order(this=node.this.copy(), expressions=order))
    is_known = exp.and_(*(key.copy().is_(exp.null()).not_() for key in (node.this, *keys)))
    known = exp.paren(exp.Filter(this=values, expression=exp.Where(this=is_known)))
    count = node.args.get("count")
    first = exp.Literal.number(0)  # counted as sqlglot does
    some = exp.Slice(this=exp.Literal.number(1), expression=exp.cast(count, "integer")) if count else first
    return exp.Bracket(this=known, expressions=[some])
