"""The one module that opens DuckDB."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path

import duckdb

from warehouse.contracts.table import literal, quote

SQL_FOLDER = Path(__file__).parent
Config = str | bool | int | float | list[str]
# What the database keeps of its memory while others work.
SMALLEST_LIMIT = "100MB"
# A feed is read as it lies there. By default the database keeps what it has read of a file, and takes one that was put
# in its place within the same second, with the same size, for the old one.
READ_ANEW: dict[str, Config] = {"enable_external_file_cache": False}


@contextmanager
def open_warehouse(
    path: Path, *, time_zone: str = "UTC", threads: int | None = None, memory_limit: str = "4GB"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """The writer's database; closed on leaving. `warehouse.migrate.migrate` creates its tables.

    SQL may call `getvariable('time_zone')`. Memory beyond the limit spills to disk beside the file.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    if not path.exists():
        _create_whole(path)
    config: dict[str, Config] = {"memory_limit": memory_limit, **READ_ANEW}
    if threads:
        config["threads"] = threads
    con = duckdb.connect(str(path), config=config)
    try:
        con.execute("set variable time_zone = $1", [time_zone])
        con.execute("set variable memory_limit = $1", [memory_limit])
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def release_memory(con: duckdb.DuckDBPyConnection) -> None:
    """Give back what the database of `open_warehouse` holds only to be quick: pages that it has read, and temporary
    tables, which go to disk. For those who have what they wanted of it, and now need the memory themselves."""
    ((memory_limit,),) = con.execute("select getvariable('memory_limit')").fetchall()
    if memory_limit is None:
        return
    try:
        con.execute(f"set memory_limit = {literal(SMALLEST_LIMIT)}")
    except duckdb.OutOfMemoryException:
        pass  # Some of it is in use; what is not has gone.
    finally:
        con.execute(f"set memory_limit = {literal(memory_limit)}")


@contextmanager
def open_read_only(path: Path, **beside: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Any database, for reading, and others `beside` it under the names given; it cannot write, install extensions or
    touch other files."""
    con = duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": "false"})
    try:
        for name, file in beside.items():
            _attach(con, name, file)
        con.execute("set enable_external_access = false")
        con.execute("set lock_configuration = true")
        yield con
    finally:
        con.close()


@contextmanager
def open_with_files(path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """Any database, for reading, beside which others may be `attached` and files written (`copy ... to`)."""
    con = duckdb.connect(str(path), read_only=True, config={"autoinstall_known_extensions": "false"})
    try:
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


@contextmanager
def attached(con: duckdb.DuckDBPyConnection, files: Mapping[str, Path]) -> Iterator[None]:
    """Within the block the databases can be read by their names."""
    names = []
    try:
        for name, file in files.items():
            _attach(con, name, file)
            names.append(name)
        yield
    finally:
        for name in names:
            con.execute(f"detach {quote(name)}")


@contextmanager
def open_overlay(
    path: Path, *, spill_folder: Path, threads: int | None = None, memory_limit: str = "4GB"
) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory in front of the warehouse, which is only read. What SQL makes or replaces lies in the one
    (catalog `scenario`), what it finds there hides the table of that name in the other (catalog `night`).

    So the night's own SQL runs unchanged, over other inputs, and leaves the night as it is. Closed on leaving.
    """
    config: dict[str, Config] = {
        "memory_limit": memory_limit,
        "temp_directory": str(spill_folder),
    }
    if threads:
        config["threads"] = threads
    con = duckdb.connect(":memory:", config=config)
    try:
        con.execute("set variable time_zone = 'UTC'")
        con.execute("set TimeZone = 'UTC'")
        _attach(con, "night", path)
        con.execute("attach ':memory:' as scenario")
        found = con.execute(
            "select schema_name from duckdb_schemas() where database_name = 'night' and not internal order by all"
        ).fetchall()
        schemas = [name for (name,) in found]
        for schema in schemas:
            con.execute(f"create schema scenario.{quote(schema)}")
        places = [f"{catalog}.{quote(schema)}" for catalog in ("scenario", "night") for schema in ("main", *schemas)]
        con.execute(f"set search_path = {literal(','.join(places))}")
        yield con
    finally:
        con.close()


@contextmanager
def open_memory(config: dict[str, Config] = READ_ANEW) -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory, for checks of files before a first night and for tests."""
    con = duckdb.connect(":memory:", config=config)
    try:
        con.execute("set variable time_zone = 'UTC'")
        con.execute("set TimeZone = 'UTC'")
        yield con
    finally:
        con.close()


def open_workbench(spill_folder: Path, memory_limit: str) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A database in memory of one thread, for a worker among others; beyond the limit it spills into the folder."""
    return open_memory({"memory_limit": memory_limit, "threads": 1, "temp_directory": str(spill_folder), **READ_ANEW})


def share_of_memory(memory_limit: str, count: int) -> str:
    """The limit of each of `count` databases that together keep to this one, such as 3GB."""
    number, unit = re.fullmatch(r"\s*([\d.]+)\s*(\w+)\s*", memory_limit, re.ASCII).groups()  # type: ignore[union-attr]
    return f"{float(number) / count:.3f}{unit}"


@contextmanager
def transaction(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """All of the block or, when it raises, nothing of it; an error goes on."""
    con.execute("begin")
    try:
        yield
        con.execute("commit")
    except BaseException:
        # A commit that the disk has no room for has ended the transaction itself: its own words are the ones to read.
        with suppress(duckdb.Error):
            con.execute("rollback")
        raise


def read_sql(relative_path: str) -> str:
    """The text of a SQL file of this package, such as 'features/users.sql'."""
    return (SQL_FOLDER / relative_path).read_text(encoding="utf-8")


def _create_whole(path: Path) -> None:
    """An empty database gets its name when it is one: what a killed process had only begun could never be opened."""
    beside = path.with_name(f"{path.name}.new")
    beside.unlink(missing_ok=True)
    duckdb.connect(str(beside)).close()
    beside.rename(path)


def _attach(con: duckdb.DuckDBPyConnection, name: str, file: Path) -> None:
    con.execute(f"attach {literal(str(file))} as {quote(name)} (read_only)")
