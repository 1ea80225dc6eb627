"""From feature and sample tables to tensors: the only place where a column name becomes an input of the model.

Samples are joined to their entities inside DuckDB, so that what crosses over is numbers: the row of each entity,
and the columns whose prefix says what they are (`label_`, `base_`, `ctx_`; other numbers are inputs of the heads).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import polars as pl
import torch
from torch import Tensor

from mtl_models.preprocess import EntitySpec, Preprocessing, Scaler
from mtl_models.samples import ABSENT, SLOTS, EntityTable, TaskSamples
from tasks.row_limits import Choice, choose
from warehouse.connect import release_memory
from warehouse.contracts.table import literal, quote


@dataclass(frozen=True)
class Entity:
    """Where a slot's rows come from: its table, their key, and the id that may get an embedding."""

    table: str
    key: tuple[str, ...]
    id_name: str | None = None


ENTITIES = {
    "user": Entity("users", ("user_id", "cutoff_date"), "user_id"),
    "product": Entity("products", ("product_id", "cutoff_date"), "product_id"),
    "site": Entity("sites", ("site_id", "cutoff_date"), "site_id"),
    "calendar": Entity("calendar", ("calendar_date",)),
    "history": Entity("demand_history", ("product_id", "site_id", "cutoff_date")),
}
# The key of each sample table, in the order in which its rows are read.
SAMPLE_KEYS = {
    "profile": ("cutoff_date", "user_id"),
    "recommendation": ("cutoff_date", "user_id", "product_id"),
    "product_quality": ("origin_date", "product_id"),
    "demand": ("cutoff_date", "product_id", "site_id", "horizon"),
    "promotion": ("cutoff_date", "campaign_id", "user_id"),
    "service_orders": ("origin_date", "order_id"),
    "service_tickets": ("origin_date", "ticket_id", "seen_at"),
    "service_days": ("origin_date", "forecast_date", "channel", "contact_reason"),
}
# Rows with equal values here are one list of candidates.
LIST_KEYS = {"recommendation": ("cutoff_date", "user_id")}
# The days that a label looks ahead end its name.
HORIZON = re.compile(r"_(\d+)d$")


@dataclass(frozen=True)
class Frames:
    """What was read: entity rows by slot, and sample rows by table and fold; `choice` says which where not all were."""

    entities: dict[str, pl.DataFrame]
    samples: dict[str, dict[str, pl.DataFrame]]
    interests: tuple[str, ...]
    choice: Choice


def sample_tables(con: duckdb.DuckDBPyConnection) -> dict[str, dict[str, int]]:
    """{table: {fold: rows}} of the sample tables that exist."""
    found = {name for (name,) in con.execute("select table_name from duckdb_tables() where schema_name = 'samples'")
             .fetchall()}  # fmt: skip
    counts = {}
    for table in SAMPLE_KEYS:
        if table in found:
            counts[table] = _count(con, table)
    return counts


def read_frames(
    con: duckdb.DuckDBPyConnection,
    tables: Sequence[str],
    folds: Sequence[str],
    *,
    label_end_date: date | None = None,
    only: Mapping[str, str] | None = None,
    most_rows: int | None = None,
) -> Frames:
    """Rows of these tables and folds with the entities that they name.

    `label_end_date`: labels whose horizon reaches beyond it are left out, so that no training label looks into the
    window that is measured. `only`: {table: predicate} of the rows that are wanted, where not all are. `most_rows`: of
    a fold with more, a fixed part of the owners is read.
    """
    choice = Choice(only=dict(only or {}))
    if most_rows:
        choice = choose({table: _count(con, table) for table in tables}, folds, most_rows)
    only = choice.only
    keys = {table: _columns(con, "samples", table) for table in tables}
    entities = {}
    for slot, entity in ENTITIES.items():
        naming = [table for table, columns in keys.items() if set(entity.key) <= set(columns)]
        _number_rows(con, slot, entity, [_rows(table, folds, only) for table in naming])
        features = [name for name in _columns(con, "features", entity.table) if name not in entity.key]
        columns = ", ".join(quote(name) for name in dict.fromkeys([*_id(entity), *features]))
        entities[slot] = con.sql(f"select {columns or 'slot_row'} from temp.slot_{slot} order by slot_row").pl()
    samples = {
        table: _read_samples(con, table, _rows(table, folds, only), keys[table], label_end_date) for table in tables
    }
    for slot in ENTITIES:
        con.execute(f"drop table temp.slot_{slot}")
    release_memory(con)
    categories = con.execute("select category from features.categories order by category_index").fetchall()
    return Frames(entities=entities, samples=samples, interests=tuple(name for (name,) in categories), choice=choice)


def fit_preprocessing(frames: Frames, fold: str = "train") -> Preprocessing:
    """Vocabularies and scales from the rows of one fold and the entities that these rows name."""
    specs = {}
    for slot, frame in frames.entities.items():
        named = [part[fold][f"slot_{slot}"] for part in frames.samples.values() if fold in part]
        seen = pl.concat(named).unique().sort()
        specs[slot] = EntitySpec.fit(frame[seen.filter(seen != ABSENT)], ENTITIES[slot].id_name)
    contexts = {}
    for table, folds in frames.samples.items():
        rows = folds.get(fold, pl.DataFrame())
        names = tuple(name for name in rows.columns if name.startswith("ctx_"))
        contexts[table] = Scaler.fit(rows, names, has_bins=True)
    return Preprocessing(entities=specs, contexts=contexts, interests=frames.interests)


def entity_tensors(frames: Frames, preprocessing: Preprocessing) -> dict[str, EntityTable]:
    """{slot: table} as tensors."""
    return {
        slot: preprocessing.entities[slot].transform(frame, ENTITIES[slot].id_name)
        for slot, frame in frames.entities.items()
    }


def sample_tensors(
    frames: Frames, preprocessing: Preprocessing, fold: str, tables: Iterable[str] | None = None
) -> dict[str, TaskSamples]:
    """{table: rows} of one fold as tensors, of the tables given or of all; those without rows are left out."""
    return {
        table: _task_samples(folds[fold], preprocessing.contexts[table], len(preprocessing.interests))
        for table, folds in frames.samples.items()
        if fold in folds and (tables is None or table in tables)
    }


def read_keys(
    con: duckdb.DuckDBPyConnection, table: str, fold: str, columns: str, only: Mapping[str, str] | None = None
) -> pl.DataFrame:
    """Columns (a select list) of one fold's rows, in the order in which `read_frames` reads them."""
    order = ", ".join(quote(name) for name in SAMPLE_KEYS[table])
    return con.sql(f"select {columns} from {_rows(table, [fold], only)} order by {order}").pl()


def _count(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, int]:
    """{fold: rows} of a sample table."""
    query = f"select fold, count(*) from samples.{quote(table)} group by fold order by fold"
    return dict(con.execute(query).fetchall())


def _columns(con: duckdb.DuckDBPyConnection, schema: str, table: str) -> list[str]:
    return con.sql(f"select * from {quote(schema)}.{quote(table)} limit 0").columns


def _id(entity: Entity) -> list[str]:
    return [entity.id_name] if entity.id_name else []


def _number_rows(con: duckdb.DuckDBPyConnection, slot: str, entity: Entity, samples: Sequence[str]) -> None:
    """Temporary table slot_<slot>: the entity rows that the samples name, numbered in the order of their key."""
    key = ", ".join(quote(name) for name in entity.key)
    named = " union ".join(f"select distinct {key} from {rows}" for rows in samples)
    con.execute(
        f"""
        create or replace temp table slot_{slot} as
        with named as ({named or f"select {key} from features.{quote(entity.table)} limit 0"})
        select row_number() over (order by {key}) - 1 as slot_row, *
        from features.{quote(entity.table)} join named using ({key})
        """
    )


def _rows(table: str, folds: Sequence[str], only: Mapping[str, str] | None) -> str:
    """The wanted rows as a subquery, in text: a relation with bound values is fetched ten times slower."""
    wanted = f"fold in ({', '.join(literal(fold) for fold in folds)}) and {(only or {}).get(table, 'true')}"
    return f"(select * from samples.{quote(table)} where {wanted})"


def _read_samples(
    con: duckdb.DuckDBPyConnection,
    table: str,
    rows: str,
    columns: Sequence[str],
    label_end_date: date | None,
) -> dict[str, pl.DataFrame]:
    """{fold: rows} with slot rows, list number and every number of the table."""
    slots = {slot: entity.key for slot, entity in ENTITIES.items() if set(entity.key) <= set(columns)}
    selected = [
        f"coalesce(slot_{slot}.slot_row, {ABSENT}) as slot_{slot}"
        if slot in slots
        else f"{ABSENT}::bigint as slot_{slot}"
        for slot in SLOTS
    ]
    list_key = ", ".join(f"rows.{quote(name)}" for name in LIST_KEYS.get(table, SAMPLE_KEYS[table]))
    selected.append(f"dense_rank() over (partition by fold order by {list_key}) - 1 as list_number")
    selected += [
        _select_number(name, kind, name in SAMPLE_KEYS[table], label_end_date)
        for name, kind in _numeric(con, table).items()
    ]
    joins = " ".join(
        f"left join temp.slot_{slot} on "
        + " and ".join(f"slot_{slot}.{quote(name)} = rows.{quote(name)}" for name in key)
        for slot, key in slots.items()
    )
    order = ", ".join(f"rows.{quote(name)}" for name in SAMPLE_KEYS[table])
    frame = con.sql(f"select fold, {', '.join(selected)} from {rows} as rows {joins} order by {order}").pl()
    return {str(key[0]): part.drop("fold") for key, part in frame.group_by("fold", maintain_order=True)}


def _numeric(con: duckdb.DuckDBPyConnection, table: str) -> dict[str, str]:
    """{column: type} of those that hold numbers, flags or lists of numbers."""
    relation = con.sql(f"select * from samples.{quote(table)} limit 0")
    kinds = {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}
    return {name: kind for name, kind in kinds.items() if not kind.startswith(("VARCHAR", "DATE", "TIMESTAMP"))}


def _select_number(name: str, kind: str, is_key: bool, label_end_date: date | None) -> str:
    value = f"cast(rows.{quote(name)} as {'FLOAT[]' if kind.endswith('[]') else 'FLOAT'})"
    horizon = HORIZON.search(name) if name.startswith("label_") else None
    if horizon and label_end_date:
        value = f"case when rows.cutoff_date + {horizon[1]} <= date '{label_end_date}' then {value} end"
    # A number within the key, such as the horizon, tells rows apart: it is context.
    return f"{value} as {quote(f'ctx_{name}' if is_key else name)}"


def _task_samples(frame: pl.DataFrame, context: Scaler, interests: int) -> TaskSamples:
    numbers = [name for name in frame.columns if not name.startswith(("slot_", "list_number"))]

    def tensors(prefix: str) -> dict[str, Tensor]:
        named = [name for name in numbers if name.startswith(prefix)]
        return {name.removeprefix(prefix): _tensor(frame[name], interests) for name in named}

    plain = [name for name in numbers if not name.startswith(("label_", "base_", "ctx_")) and name != "sample_weight"]
    has_weights = "sample_weight" in frame.columns
    return TaskSamples(
        slots={slot: torch.from_numpy(frame[f"slot_{slot}"].cast(pl.Int64).to_numpy().copy()) for slot in SLOTS},
        context=context.transform(frame),
        targets=tensors("label_"),
        baselines=tensors("base_"),
        inputs={name: _tensor(frame[name], interests) for name in plain},
        weights=_tensor(frame["sample_weight"], interests) if has_weights else torch.ones(len(frame)),
        groups=torch.from_numpy(frame["list_number"].cast(pl.Int64).to_numpy().copy()),
    )


def _tensor(column: pl.Series, interests: int) -> Tensor:
    """[n], or [n, interests] for a list column; NaN where empty."""
    if column.dtype != pl.List:
        return torch.from_numpy(column.fill_null(float("nan")).to_numpy().copy())
    return torch.from_numpy(column.list.to_array(interests).to_numpy().astype(np.float32).copy())
