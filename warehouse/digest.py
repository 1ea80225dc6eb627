"""Whether two published files say the same: a digest of each table, without the columns that tell of the run.

python -m warehouse.digest .fivefold/published.duckdb another/published.duckdb
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import duckdb

from warehouse.connect import open_read_only
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.contracts.predictions import OF_THE_RUN
from warehouse.contracts.table import Table, quote


def digest_file(path: Path) -> dict[str, str]:
    """{table: digest} of a published file. Two nights of one day, the same feeds, settings and code have equal ones.

    Left out are the columns of `OF_THE_RUN`: which run wrote a row, with which copy of the model, and when.
    """
    with open_read_only(path) as con:
        return {table.name: digest_rows(con, table.qualified_name, _of_the_night(table)) for table in PUBLISHED_TABLES}


def digest_rows(con: duckdb.DuckDBPyConnection, relation: str, columns: Iterable[str]) -> str:
    """32 hexadecimal digits of the rows of a relation (SQL), to the last digit of every number; in which order rows lie
    is no part of it. One pass, in memory that does not grow with the rows."""
    row = f"to_json(struct_pack({', '.join(f'{quote(name)} := {quote(name)}' for name in columns)}))"
    (digest,) = con.execute(
        f"""
        with rows as (select cast({row} as varchar) as content from {relation})
        select format(
            '{{:016x}}{{:016x}}',
            cast(coalesce(sum(md5_number_lower(content)), 0) % 18446744073709551616 as ubigint),
            cast(coalesce(sum(md5_number_upper(content)), 0) % 18446744073709551616 as ubigint)
        )
        from rows
        """
    ).fetchone() or ("",)
    return str(digest)


def _of_the_night(table: Table) -> list[str]:
    return [name for name in table.column_names if name not in OF_THE_RUN]
