"""What makes a night repeatable: its loads are new until it lets them pass, and new again when it runs again."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import duckdb

from warehouse.contracts.table import Table, literal, quote
from warehouse.validation.rules_sql import quoted_list

# The ingest names a rule so when a value could not be read as its column's type: the row never was in the feed.
UNREADABLE = "_parses"


def begin_again(con: duckdb.DuckDBPyConnection, run_id: str, as_of_date: date, tables: Sequence[Table]) -> None:
    """Undo what earlier runs of this night decided: their loads are new again, and what they set aside is back in
    its feed, so that the night judges the same rows and says the same.

    Rows of a load that a newer version of its input replaced stay where they are, as do rows that could not be
    read. The caller holds a transaction.
    """
    con.execute(
        """
        create or replace temp table same_night as
        select run_id from ops.runs where as_of_date = $as_of_date
        union
        select $run_id
        """,
        {"run_id": run_id, "as_of_date": as_of_date},
    )
    con.execute("update ops.loads set validated_by = null where validated_by in (from same_night)")
    con.execute(
        """
        create or replace temp table returning_rows as
        select quarantined.run_id, table_name, row_number, row_json
        from ops.quarantined_rows as quarantined
        join same_night using (run_id)
        left join ops.loads as loads on loads.load_id = try_cast(row_json ->> '$._load_id' as bigint)
        where list_contains($feeds, table_name)
          and not ends_with(broken_rules, $unreadable)
          and coalesce(loads.status, 'loaded') = 'loaded'
        """,
        {"feeds": [table.name for table in tables], "unreadable": UNREADABLE},
    )
    returning = {name for (name,) in con.execute("select distinct table_name from returning_rows").fetchall()}
    for table in tables:
        if table.name in returning:
            _put_back_into(con, table)
    con.execute(
        "delete from ops.quarantined_rows as kept using returning_rows as returned "
        "where (kept.run_id, kept.table_name, kept.row_number) "
        "= (returned.run_id, returned.table_name, returned.row_number)"
    )
    con.execute("drop table returning_rows")
    con.execute("drop table same_night")


def let_pass(con: duckdb.DuckDBPyConnection, run_id: str, tables: Sequence[Table]) -> None:
    """Note that the night has checked what was loaded of these feeds. The caller holds a transaction."""
    con.execute(
        "update ops.loads set validated_by = $1 where validated_by is null and status = 'loaded' "
        "and list_contains($2, feed)",
        [run_id, [table.name for table in tables]],
    )


def _put_back_into(con: duckdb.DuckDBPyConnection, table: Table) -> None:
    types = {column.name: column.type for column in table.columns} | {"_load_id": "BIGINT"}
    as_text = literal(json.dumps(dict.fromkeys(types, "VARCHAR")))
    values = ", ".join(f"cast(fields.{quote(name)} as {kind})" for name, kind in types.items())
    con.execute(
        f"insert into {table.qualified_name} ({quoted_list(tuple(types))}) "
        f"select {values} from (select json_transform(row_json, {as_text}) as fields "
        f"from returning_rows where table_name = $1 order by row_number) as texts",
        [table.name],
    )
