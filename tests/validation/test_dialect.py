"""The dialect borrows an open connection: it sees all of it and ends nothing."""

from __future__ import annotations

import duckdb
import pytest
import sqlalchemy as sa

from warehouse.validation.dialect import connection_string


def test_sees_the_open_transaction_and_leaves_it_open() -> None:
    with duckdb.connect() as con, connection_string(con) as url:
        con.execute("create table numbers (n integer)")
        con.execute("begin")
        con.execute("insert into numbers values (1), (2)")
        con.execute("create temp view doubled as select 2 * n as twice from numbers")
        engine = sa.create_engine(url)
        with engine.begin() as connection:
            assert (
                connection.execute(sa.text("select sum(twice) from doubled where twice > :low"), {"low": 2}).scalar()
                == 4
            )
            connection.execute(sa.text("insert into numbers values (3)"))
        engine.dispose()
        assert con.execute("select count(*) from numbers").fetchall() == [(3,)]
        con.execute("rollback")
        assert con.execute("select count(*) from numbers").fetchall() == [(0,)]


def test_rows_outlive_their_connection() -> None:
    """Great Expectations closes before it fetches."""
    with duckdb.connect() as con, connection_string(con) as url, sa.create_engine(url).connect() as connection:
        result = connection.exec_driver_sql("from range(3)")
        con.execute("select 'a later result'")
        assert result.fetchmany(2) == [(0,), (1,)]
        assert result.fetchall() == [(2,)]


def test_reflects_tables_and_temporary_views() -> None:
    with duckdb.connect() as con, connection_string(con) as url:
        con.execute("create schema raw; create table raw.people (id integer, tags varchar[])")
        con.execute("create temp view people as select 1 as other")
        inspector = sa.inspect(sa.create_engine(url))
        assert [column["name"] for column in inspector.get_columns("people", "raw")] == ["id", "tags"]
        assert [str(column["type"]) for column in inspector.get_columns("people", "raw")] == ["INTEGER", "VARCHAR[]"]
        assert [column["name"] for column in inspector.get_columns("people")] == ["other"]
        assert not inspector.has_table("nobody")
        with pytest.raises(sa.exc.NoSuchTableError):
            inspector.get_columns("nobody")


def test_a_url_is_dead_after_its_block() -> None:
    with duckdb.connect() as con:
        with connection_string(con) as url:
            pass
        with pytest.raises(KeyError):
            sa.create_engine(url).connect()
