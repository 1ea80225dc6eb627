"""The feature SQL gives on PostgreSQL what it gives on DuckDB: each file from the same inputs, table by table."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest
import sqlglot

from tests.features.conftest import built_shop, empty_shop, make_night  # noqa: F401 - fixtures
from tests.features.rows import AS_OF
from tests.postgres.conftest import connect
from tests.postgres.translate import Schema, Variables, translate
from warehouse import build
from warehouse.connect import read_sql
from warehouse.contracts.table import literal
from warehouse.postgres.session import Session

# What docs/portable-sql.md says of each; every other file is proved.
DUCKDB_ONLY = {
    "staging/schemas.sql": "macros",
    "staging/visits.sql": "epoch_ms",
    "staging/shelf_weeks.sql": "qualify on an alias",
    "staging/product_panels.sql": "lists",
    "features/campaign_controls.sql": "hash",
    "features/demand_history.sql": "lists",
    "features/placement_lifts.sql": "lists",
    "samples/profile.sql": "lists",
    "samples/demand.sql": "lists",
    "samples/service_tickets.sql": "intervals",
    "samples/recommendation.sql": "hash",
}
FILES = (
    *build.FEED_FILES,
    *build.ENTITY_FILES,
    *build.DEMAND_FILES,
    *build.CAMPAIGN_AND_SERVICE_FILES,
    *build.CANDIDATE_FILES,
    *build.RECOMMENDATION_FILES,
)
PORTABLE = [file for file in FILES if file not in DUCKDB_ONLY]
# The first n of a list, which sqlglot says in no way that Snowflake has.
SLICES = {"features/users.sql", "features/user_products.sql"}
_WORDS = Path(__file__).with_name("duckdb_words.sql")
_TYPES = {"HUGEINT": "numeric(38)", "DOUBLE": "double precision", "FLOAT": "real", "VARCHAR": "text"}
# Sums may be taken in another order, and a number of single precision be rounded the other way.
_TOLERANCES = {pl.Float64: 1e-9, pl.Float32: 3e-7}


class Proof:
    """DuckDB's tables, and a PostgreSQL that is to give the same from the same inputs."""

    def __init__(self, con: duckdb.DuckDBPyConnection, database: Session) -> None:
        self.con = con
        self.database = database
        self.schema = _schema(con)
        self.variables = _variables(con)
        self._loaded: set[tuple[str, str]] = set()
        words = _WORDS.read_text()
        for name, value in self.variables.items():
            words = words.replace(f":{name}", literal(str(value)) if not isinstance(value, int) else str(value))
        for statement in words.split(";\n")[:-1]:
            database.run(statement)
        for schema in self.schema:
            database.run(f'create schema if not exists "{schema}"')

    def prove(self, file: str) -> int:
        """The rows that the two were compared in; AssertionError says where they differ."""
        rows = 0
        for statement in translate(read_sql(file), self.schema, self.variables):
            for table in sorted(statement.inputs - self._loaded):
                self._load(*table)
                self._loaded.add(table)
            rows += self._compare(statement.schema, statement.table, statement.query)
        return rows

    def _load(self, schema: str, table: str) -> None:
        """DuckDB's rows as JSON, whose values PostgreSQL reads as its own types; exact numbers travel as text."""
        columns = self.schema[schema][table]
        name = f'"{schema}"."{table}"'
        values = (f"{_quoted(c)}: {_as_text(c) if _is_exact(kind) else _quoted(c)}" for c, kind in columns.items())
        query = f"select cast(to_json(list({{{', '.join(values)}}})) as varchar) from {name}"
        (rows,) = self.con.execute(query).fetchall()[0]
        types = ", ".join(f"{_quoted(c)} {_type(kind)}" for c, kind in columns.items())
        self.database.run(f"create table {name} ({types})")
        insert = f"insert into {name} select * from json_populate_recordset(null::{name}, $1::json)"
        self.database.run(insert, [rows or "[]"])
        self.database.run(f"analyze {name}")

    def _compare(self, schema: str, table: str, query: str) -> int:
        kinds = {
            column: "double precision" if _is_exact(kind) else _type(kind)
            for column, kind in self.schema[schema][table].items()
        }
        columns = ", ".join(f'cast("{column}" as {kind}) as "{column}"' for column, kind in kinds.items())
        with self.database.stream(f"select {columns} from ({query}) as result") as reader:
            theirs = pl.DataFrame(reader.read_all())
        own_columns = columns.replace("double precision", "double")
        ours = self.con.execute(f'select {own_columns} from "{schema}"."{table}"').pl()
        assert_alike(ours, theirs, f"{schema}.{table}")
        return ours.height


@pytest.fixture(scope="module")
def proof(built_shop: duckdb.DuckDBPyConnection, server: str) -> Iterator[Proof]:  # noqa: F811 - the fixture
    with connect(server) as session:
        session.run("create database features")
    with connect(server.removesuffix("postgres") + "features") as session:
        yield Proof(built_shop, session)


@pytest.mark.parametrize("file", PORTABLE)
def test_postgres_gives_the_same(proof: Proof, file: str) -> None:
    assert proof.prove(file) > 0, "nothing was compared"


def test_each_exception_is_a_file_of_the_build() -> None:
    assert set(DUCKDB_ONLY) <= set(FILES)


@pytest.mark.parametrize("dialect", ["snowflake", "bigquery", "spark"])
def test_warehouses_of_others_can_read_it(built_shop: duckdb.DuckDBPyConnection, dialect: str) -> None:  # noqa: F811
    """No more than that sqlglot can say it there and parses what it said."""
    schema, variables = _schema(built_shop), _variables(built_shop)
    for file in sorted(set(PORTABLE) - (SLICES if dialect == "snowflake" else set())):
        for statement in translate(read_sql(file), schema, variables, dialect):
            assert sqlglot.parse_one(statement.query, read=dialect).named_selects, file


def assert_alike(ours: pl.DataFrame, theirs: pl.DataFrame, table: str) -> None:
    """The same rows in any order: floats within the tolerance of their type, all else equal."""
    assert ours.columns == theirs.columns
    assert ours.height == theirs.height, f"{table}: {ours.height} rows here, {theirs.height} there"
    floats = [name for name, kind in ours.schema.items() if kind.is_float()]
    exact = [name for name in ours.columns if name not in floats]
    order = [*exact, *(pl.col(name).cast(pl.Float64).round_sig_figs(5) for name in floats)]
    ours, theirs = ours.sort(order), theirs.sort(order)
    for name, kind in ours.schema.items():
        mine, other = ours[name], theirs[name].cast(kind)
        far = _are_apart(mine, other, _TOLERANCES[type(kind)]) if name in floats else mine.ne_missing(other)
        at = far.arg_max() if far.any() else None
        assert at is None, f"{table}.{name}: {far.sum()} of {len(far)} differ, {mine[at]} here and {other[at]} there"


def _are_apart(mine: pl.Series, other: pl.Series, tolerance: float) -> pl.Series:
    a, b = mine.cast(pl.Float64), other.cast(pl.Float64)
    scale = pl.max_horizontal(pl.lit(1e-9), a.abs(), b.abs())
    return pl.select(((a - b).abs() > tolerance * scale).fill_null(False) | (a.is_null() != b.is_null())).to_series()


def _schema(con: duckdb.DuckDBPyConnection) -> Schema:
    """Columns and types of every table that the build reads or writes; the temporary ones are in `main`."""
    schema: Schema = {}
    columns = con.execute(
        "select schema_name, table_name, column_name, data_type from duckdb_columns()"
        " where schema_name in ('raw', 'staging', 'features', 'samples', 'main') and not internal"
        " order by schema_name, table_name, column_index"
    )
    for where, table, column, kind in columns.fetchall():
        schema.setdefault(where, {}).setdefault(table, {})[column] = kind
    return schema


def _variables(con: duckdb.DuckDBPyConnection) -> Variables:
    rows = con.execute("select name, value, type from duckdb_variables()").fetchall()
    kinds = {"DATE": lambda text: AS_OF, "VARCHAR": str}
    return {name: kinds.get(kind, int)(value) for name, value, kind in rows}


def _type(kind: str) -> str:
    return f"{_type(kind[:-2])}[]" if kind.endswith("[]") else _TYPES.get(kind, kind)


def _is_exact(kind: str) -> bool:
    return kind.startswith(("DECIMAL", "HUGEINT"))


def _quoted(column: str) -> str:
    return f'"{column}"'


def _as_text(column: str) -> str:
    return f'cast("{column}" as varchar)'
