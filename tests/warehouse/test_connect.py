"""What a transaction promises on a full disk."""

from __future__ import annotations

import duckdb
import pytest

from warehouse.connect import open_memory, transaction


class Full:
    """A connection whose commits find no room: as in DuckDB, that ends the transaction."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self.con = con

    def execute(self, query: str) -> duckdb.DuckDBPyConnection:
        if query == "commit":
            self.con.execute("rollback")
            raise duckdb.TransactionException("Failed to commit: No space left on device")
        return self.con.execute(query)


def test_the_error_of_a_commit_is_the_one_that_is_told() -> None:
    with open_memory() as con:
        con.execute("create table t (i integer)")
        with pytest.raises(duckdb.TransactionException, match="No space left"), transaction(Full(con)):  # type: ignore[arg-type]
            con.execute("insert into t values (1)")
        assert con.execute("select count(*) from t").fetchall() == [(0,)]
