"""Rolling origins: the same history seen from two days, so that settings are not chosen for the luck of one window."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta

import duckdb

from mtl_models.config import ModelConfig
from mtl_models.heads import TASKS
from tasks.gates import GateStopped
from tasks.lesson import Lesson, device_of, make_lesson, tables_of
from tasks.read_samples import HORIZON, fit_preprocessing, read_frames
from tasks.readiness import FEWEST_LABELS, NEEDS, check_readiness
from warehouse.contracts.table import quote


@dataclass(frozen=True, kw_only=True)
class Origin:
    """`day` is the first of the window to validate on; what is learned was over before it. `tasks`: those with labels
    enough at that time."""

    day: date
    tasks: tuple[str, ...]
    lesson: Lesson


def read_origins(con: duckdb.DuckDBPyConnection, config: ModelConfig, horizon_days: int) -> tuple[Origin, ...]:
    """The night's own validation window; and the training window before it, seen as if it were the newest, where
    something can be learned from what is older still. Labels and prices of the measured window are not read.

    Raises GateStopped when no task can learn.
    """
    tasks, horizon = check_readiness(con).tasks, timedelta(days=horizon_days)
    if not tasks:
        raise GateStopped("model", "no head can learn.", "fivefold status says what each head waits for.")
    newest, before = _days(con)
    origins = [_read_origin(con, config, newest, tasks, newest + horizon)]
    if before:
        with _seen_from(con, before, horizon_days, tables_of(tasks)):
            able = tuple(task for task in tasks if _can_learn(con, task))
            if able:
                origins.append(_read_origin(con, config, before, able, before + horizon))
    return tuple(origins)


def _read_origin(
    con: duckdb.DuckDBPyConnection, config: ModelConfig, day: date, tasks: tuple[str, ...], label_end: date
) -> Origin:
    frames = read_frames(
        con, tables_of(tasks), ("train", "validation"), label_end_date=label_end, most_rows=config.most_rows
    )
    # Prices of the window to validate on would tell of its demand.
    lesson = make_lesson(con, frames, fit_preprocessing(frames), day, device_of(config))
    return Origin(day=day, tasks=tasks, lesson=lesson)


def _days(con: duckdb.DuckDBPyConnection) -> tuple[date, date | None]:
    """The first days of the validation window and of the newest training window."""
    query = """
        select max(cutoff_date) filter (fold = 'validation'), max(cutoff_date) filter (fold = 'train')
        from features.cutoffs
    """
    return con.execute(query).fetchall()[0]


@contextmanager
def _seen_from(con: duckdb.DuckDBPyConnection, day: date, horizon_days: int, tables: list[str]) -> Iterator[None]:
    """Within the block, `samples` and `features` are what a night `2 * horizon_days` after that day would have built:
    views in a database of their own, so that nothing of the warehouse changes."""
    ((home,),) = con.execute("select current_database()").fetchall()
    features = con.execute("select table_name from duckdb_tables() where schema_name = 'features'").fetchall()
    views = [(f"features.{quote(name)}", f"from {quote(home)}.features.{quote(name)}") for (name,) in features]
    views += [(f"samples.{quote(name)}", _samples_from(con, home, name, day, horizon_days)) for name in tables]
    con.execute("attach ':memory:' as earlier; create schema earlier.samples; create schema earlier.features")
    try:
        for name, query in views:
            con.execute(f"create view earlier.{name} as {query}")
        con.execute("use earlier")
        yield
    finally:
        con.execute(f"use {quote(home)}; detach earlier")


def _samples_from(con: duckdb.DuckDBPyConnection, home: str, table: str, day: date, horizon_days: int) -> str:
    """A query for the training rows of a table with the folds that they have from that day: labels of training end
    where the window begins, and what begins in the window validates. A table without rows there (campaigns start when
    they like) validates on its newest."""
    source, columns = f"{quote(home)}.samples.{quote(table)}", con.sql(f"from samples.{quote(table)} limit 0").columns
    seen_at = "origin_date" if "origin_date" in columns else "cutoff_date"
    masked = [
        f"case when {seen_at} + {found[1]} <= first_day + if({seen_at} >= first_day, {horizon_days}, 0) "
        f"then {quote(name)} end as {quote(name)}"
        for name in columns
        if name.startswith("label_") and (found := HORIZON.search(name))
    ]
    return f"""
        with bounds as (
            select least(max({seen_at}), date '{day}') as first_day from {source} where fold = 'train'
        )
        select rows.* replace ({", ".join([f"if({seen_at} >= first_day, 'validation', 'train') as fold", *masked])})
        from {source} as rows, bounds
        where fold = 'train' and (
            {seen_at} + {horizon_days} <= first_day
            or {seen_at} >= first_day and {seen_at} < first_day + {horizon_days}
        )
    """


def _can_learn(con: duckdb.DuckDBPyConnection, task: str) -> bool:
    """Whether the samples in sight have labels enough for the task, and some to validate on."""
    need = NEEDS[task]
    label, table = quote(need.label), quote(TASKS[task].table)
    query = f"""
        select count({label}) filter (fold = 'train'), count({label}) filter (fold = 'validation')
        from samples.{table} where {need.where}
    """
    ((training, validating),) = con.execute(query).fetchall()
    return training >= FEWEST_LABELS and validating > 0
