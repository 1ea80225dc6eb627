"""Which rows a night has to check: each row is judged once, by the night that first sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from warehouse.contracts.table import Rule, Table
from warehouse.validation.rules_sql import fetch_row

# A load that no night has let pass is new, and so is a row that came without a load.
_IS_NEW = """(
    _load_id is null
    or _load_id not in (select load_id from ops.loads where validated_by is not null)
)"""


@dataclass(frozen=True, kw_only=True)
class Scope:
    """The rows of one feed that are new tonight. `view` is the plain name of a temporary view of them; `relation`
    is the same in SQL, and the feed itself where every row is new; `is_new` is a predicate on rows of the feed."""

    table: Table
    view: str
    relation: str
    is_new: str
    new_rows: int
    all_rows: int

    def relation_of(self, rule: Rule) -> str:
        """The rows that the rule looks at, in SQL."""
        return self.table.qualified_name if _looks_at_whole_table(rule) else self.relation

    def rows_checked(self, rule: Rule) -> int:
        """How many rows the rule looks at."""
        return self.all_rows if _looks_at_whole_table(rule) else self.new_rows


@contextmanager
def new_rows(con: duckdb.DuckDBPyConnection, table: Table) -> Iterator[Scope]:
    """The new rows of a feed as a temporary view, gone after the block."""
    name = table.qualified_name
    new, rows = fetch_row(con, f"select count(*) filter (where {_IS_NEW}), count(*) from {name}")
    # Most nights bring new rows to a few feeds only: the others are not scanned for them again and again.
    is_new = "true" if new == rows else _IS_NEW if new else "false"
    # Great Expectations cannot read names that need quotes, so the view has a plain one.
    view = re.sub(r"\W", "_", f"new_{table.name}")
    con.execute(f"create or replace temp view {view} as select * from {name} where {is_new}")
    try:
        yield Scope(
            table=table,
            view=view,
            relation=name if new == rows else view,
            is_new=is_new,
            new_rows=new,
            all_rows=rows,
        )
    finally:
        con.execute(f"drop view {view}")


def _looks_at_whole_table(rule: Rule) -> bool:
    """Whether old rows are checked again: rules about the table, and reports of values that name nothing, since
    they break when the entity goes. A rule that sets rows aside looks at new rows only."""
    return rule.scope == "table" or (rule.kind == "references" and rule.severity != "critical")
