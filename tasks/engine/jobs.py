"""What a worker does: SQL or a model over shards in, one shard out. Plain functions, which know of no cluster."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from tasks.engine import Part, Variables
from tasks.predict_heads import predict_part
from tasks.serving import Served, ServingModel, load_served
from warehouse import build
from warehouse.connect import open_workbench, read_sql
from warehouse.shards import Shard, ShardSet, column_types, write_shard


@dataclass(frozen=True, kw_only=True)
class Input:
    """A table as a worker gets it: these shards of the set, and of them the rows for which the predicate holds."""

    table: str
    source: ShardSet
    shards: tuple[Shard, ...]
    where: str = "true"


@dataclass(frozen=True, kw_only=True)
class Made:
    """A shard with the types of its columns; none where there was nothing to write."""

    shard: Shard | None
    columns: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class BuildJob:
    """One part of one SQL file of the build, which makes the table `makes`."""

    file: str
    makes: str
    variables: Variables
    inputs: tuple[Input, ...]
    target: Path
    memory_limit: str


@dataclass(frozen=True, kw_only=True)
class PredictJob:
    """One part of a sample table, which is all that the worker has of it, and the models that serve."""

    table: str
    served: tuple[Served, ...]
    inputs: tuple[Input, ...]
    target: Path
    memory_limit: str


def build_part(job: BuildJob) -> Made:
    """Run the SQL over the part's tables."""
    with _workbench(job.inputs, job.target.parent, job.memory_limit, job.variables) as con:
        con.execute(read_sql(job.file))
        query = f"select * from {job.makes}"
        return Made(shard=write_shard(con, query, job.target), columns=column_types(con, query))


def predict_shard(job: PredictJob) -> Made:
    """Predict the part."""
    with _workbench(job.inputs, job.target.parent, job.memory_limit) as con:
        rows = predict_part(con, _models(job.served), Part(job.table, "true"))
        if rows.is_empty():
            return Made(shard=None, columns={})
        con.register("rows_to_write", rows.to_arrow())
        query = "select * from rows_to_write"
        return Made(shard=write_shard(con, query, job.target), columns=column_types(con, query))


@lru_cache(maxsize=1)
def _models(served: tuple[Served, ...]) -> dict[str, ServingModel]:
    """A worker that predicts several parts loads the models once."""
    return load_served(served)


@contextmanager
def _workbench(
    inputs: tuple[Input, ...], folder: Path, memory_limit: str, variables: Variables | None = None
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory with these tables, the night's macros and the variables. It spills into a folder of its own:
    databases that share one overwrite each other's files."""
    folder.mkdir(parents=True, exist_ok=True)
    with (
        TemporaryDirectory(prefix="spilled-", dir=folder) as spilled,
        open_workbench(Path(spilled), memory_limit) as con,
    ):
        build.set_variables(con, variables or {})
        con.execute(read_sql("staging/schemas.sql"))
        for given in inputs:
            con.execute(f"create table {given.table} as {given.source.select(given.shards, given.where)}")
        yield con
