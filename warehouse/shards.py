"""What crosses machines: an immutable set of Parquet files with a manifest, `<folder>/<name>/run_id=<run>/`.

Shards are written first, each aside and then renamed; the manifest that names them, with their rows, bytes, hashes and
columns, is written last. So a reader finds a whole set or none, and one whose shards were changed is refused. Nothing
distributed opens the warehouse: its one writer exports sets, and loads those that come back.
"""

from __future__ import annotations

import hashlib
import json
import os
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import duckdb

from warehouse.contracts.table import literal, quote
from warehouse.whole_text import UNFINISHED, write_text_whole

# Below the home folder; gone when the step that needed them ends.
FOLDER = "shards"
MANIFEST = "manifest.json"


class ShardError(RuntimeError):
    """A set that cannot be read: without a manifest, or not as its manifest says."""


@dataclass(frozen=True, kw_only=True)
class Shard:
    """One Parquet file: its rows, its bytes and their SHA-256."""

    path: Path
    rows: int
    bytes: int
    sha256: str

    def verified(self) -> Path:
        """The file, which is the one that was written; ShardError when it is not."""
        if not self.path.is_file() or self.path.stat().st_size != self.bytes or _sha256(self.path) != self.sha256:
            raise ShardError(f"{self.path} is not as its manifest says. Remedy: run the night again.")
        return self.path


@dataclass(frozen=True, kw_only=True)
class ShardSet:
    """Shards of one table: `columns` are its {name: DuckDB type}, `made_by` says who wrote them."""

    folder: Path
    shards: tuple[Shard, ...]
    columns: Mapping[str, str]
    made_by: str

    @property
    def rows(self) -> int:
        """Rows of all shards."""
        return sum(shard.rows for shard in self.shards)

    @property
    def files(self) -> list[Path]:
        """The files in their order: who is number `rank` of `world` readers takes `files[rank::world]`."""
        return [shard.path for shard in self.shards]

    def select(self, shards: Sequence[Shard] | None = None, where: str = "true") -> str:
        """SQL of the rows of these shards, else of all, in their order and in the types that they were written from;
        every file is verified first. A set without shards has no rows to select: ask before."""
        read = self.shards if shards is None else shards
        files = ", ".join(literal(str(shard.verified())) for shard in read)
        columns = ", ".join(f"cast({quote(name)} as {kind}) as {quote(name)}" for name, kind in self.columns.items())
        return f"select {columns} from read_parquet([{files}]) where {where}"


def set_folder(home: Path, name: str, run_id: str) -> Path:
    """Where the set of that name lies."""
    return home / FOLDER / name / f"run_id={run_id}"


def part(number: int) -> str:
    """The name of a shard within its set."""
    return f"part-{number:05d}.parquet"


def export_set(
    con: duckdb.DuckDBPyConnection, query: str, folder: Path, made_by: str, parts: Sequence[str] = ("true",)
) -> ShardSet:
    """Write the rows of a query as a set, a shard for each of the predicates `parts`, which have each row once between
    them."""
    columns = column_types(con, query)
    shards = [
        write_shard(con, f"select * from ({query}) where {predicate}", folder / part(number))
        for number, predicate in enumerate(parts)
    ]
    return publish_set(folder, shards, columns, made_by)


def write_shard(con: duckdb.DuckDBPyConnection, query: str, path: Path) -> Shard:
    """Write the rows of a query, in their order, as one file, which is whole or not there. Two who write the same one,
    for one of them was taken for dead, do not meet."""
    path.parent.mkdir(parents=True, exist_ok=True)
    # Parquet knows no integer of 16 bytes: DuckDB would write it as a float.
    columns = ", ".join(
        f"cast({quote(name)} as decimal(38, 0)) as {quote(name)}" if kind == "HUGEINT" else quote(name)
        for name, kind in column_types(con, query).items()
    )
    aside = path.with_name(f"{path.name}.{uuid.uuid4().hex}{UNFINISHED}")
    written = con.execute(
        f"copy (select {columns} from ({query})) to {literal(str(aside))} (format parquet, compression zstd)"
    ).fetchone()
    os.replace(aside, path)  # noqa: PTH105 - Path.replace says the same less clearly
    return Shard(path=path, rows=int(written[0]) if written else 0, bytes=path.stat().st_size, sha256=_sha256(path))


def publish_set(folder: Path, shards: Sequence[Shard], columns: Mapping[str, str], made_by: str) -> ShardSet:
    """Make shards that lie in the folder a set: from here on it can be opened."""
    told = [asdict(shard) | {"path": shard.path.name} for shard in shards]
    manifest = {"made_by": made_by, "columns": dict(columns), "rows": sum(s.rows for s in shards), "shards": told}
    folder.mkdir(parents=True, exist_ok=True)
    write_text_whole(f"{json.dumps(manifest, indent=1)}\n", folder / MANIFEST)
    return ShardSet(folder=folder, shards=tuple(shards), columns=dict(columns), made_by=made_by)


def open_set(folder: Path) -> ShardSet:
    """The set of that folder; ShardError where it has no manifest yet. Shards are verified when they are read."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ShardError(f"{folder} has no {MANIFEST}: who writes it has not finished.") from None
    shards = tuple(Shard(**told | {"path": folder / told["path"]}) for told in manifest["shards"])
    return ShardSet(folder=folder, shards=shards, columns=manifest["columns"], made_by=manifest["made_by"])


def column_types(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, str]:
    """{name: DuckDB type} of a query's columns."""
    relation = con.sql(query)
    return {name: str(kind) for name, kind in zip(relation.columns, relation.types, strict=True)}


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
