"""A database file written anew, so that what was deleted is in no byte of it.

DuckDB keeps deleted rows in the file until it needs their blocks for something else, which may be never.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import duckdb

from warehouse.connect import open_memory
from warehouse.contracts.table import literal, quote

# Tables are streamed from file to file, so more memory would only keep pages that nobody reads again. One thread copies
# rows in their order as they come; several hold back what comes before its turn, and were no quicker.
MEMORY_LIMIT, THREADS = "500MB", 1

# {table, as "schema"."table": a predicate of the rows that stay behind}
LeftOut = Mapping[str, str]


def rewrite(
    file: Path,
    leave_out: Callable[[duckdb.DuckDBPyConnection], LeftOut],
    *,
    finish: str = "",
    storage_version: str | None = None,
) -> None:
    """Replace the file, in one step, by one with its schemas, tables, views and comments and its live rows, in their
    order, but those that `leave_out` names; it is called with a connection that stands on the file.

    `finish` is SQL that the new file (attached as `anew`) gets at the end. A file that is open for reading stays whole
    for its reader. Whatever goes wrong leaves the file as it was. Raises duckdb.Error or OSError, as when the disk,
    which holds both meanwhile, is full.
    """
    aside = file.with_name(f"{file.name}.anew.tmp")
    aside.unlink(missing_ok=True)
    version = f" (storage_version {literal(storage_version)})" if storage_version else ""
    with open_memory() as con:
        con.execute(f"set memory_limit = {literal(MEMORY_LIMIT)}")
        con.execute(f"set threads = {THREADS}")
        con.execute(f"set temp_directory = {literal(f'{aside}.spill')}")
        con.execute(f"attach {literal(str(file))} as before (read_only)")
        con.execute(f"attach {literal(str(aside))} as anew{version}")
        con.execute("copy from database before to anew (schema)")
        con.execute("use before")
        left_out = leave_out(con)
        for table in _tables(con):
            stays = f"not coalesce({left_out[table]}, false)" if table in left_out else "true"
            con.execute(f"insert into anew.{table} from before.{table} where {stays}")
        if finish:
            con.execute(finish)
        # Nothing may be attached to the new file when it takes the name, and detaching writes its log into it.
        con.execute("use memory")
        con.execute("detach anew")
    aside.chmod(file.stat().st_mode)
    # Files on the shelf are told apart by their age.
    os.utime(aside, ns=(file.stat().st_atime_ns, file.stat().st_mtime_ns))
    with aside.open("rb") as handle:
        os.fsync(handle.fileno())
    aside.replace(file)


def _tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        "select schema_name, table_name from duckdb_tables() where database_name = 'before' order by all"
    ).fetchall()
    return [f"{quote(schema)}.{quote(name)}" for schema, name in found]
