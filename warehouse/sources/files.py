"""A folder of files: `files:FOLDER`.

Each feed is a file (`orders.csv`) or a folder of files (`orders/2026-03-01.parquet`, or hive partitions such as
`orders/date=2026-03-01/part.parquet`). Parquet, CSV (a header, UTF-8) and NDJSON (`.ndjson`, `.jsonl`) are read, the
last two also as `.gz` and `.zst`. A file is an input, known by its path and content; of two rows with one key the file
that sorts later wins. Everything that lies in the folder is loaded: what an earlier night may know is up to the
features, which look at moments.
"""

from __future__ import annotations

import csv
import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from warehouse.casting import INPUT_COLUMN, parsed
from warehouse.connect import open_memory
from warehouse.contracts import feed as feed_named
from warehouse.contracts.table import literal, quote
from warehouse.sources.base import FeedError, Input, Relation, Source, unreadable

FORMATS = ("parquet", "csv", "ndjson", "jsonl")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}


class Files(Source):
    """A folder with a file, or a folder of files, per feed. Moments without an offset are UTC."""

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self.folder = Path(location or "").expanduser()
        if not location or not self.folder.is_dir():
            raise FeedError(
                f"There is no folder {str(self.folder)!r}.",
                remedy="name the folder that holds orders.csv, products.parquet and so on as files:FOLDER.",
            )

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last order."""
        orders = feed_named("orders")
        last_day: date | None = None
        with open_memory() as con:
            for relation in self.relations(con, "orders", self.inputs(con, "orders")):
                types = {row[0]: row[1] for row in con.execute(f"describe {relation.sql}").fetchall()}
                if "ordered_at" not in types:
                    continue
                moment = parsed(orders.column("ordered_at"), types["ordered_at"])
                days = con.execute(
                    f"select timezone($1, timezone('UTC', max({moment})))::date + 1 from ({relation.sql})",
                    [time_zone or self.time_zone],
                ).fetchall()[0][0]
                last_day = max(filter(None, (last_day, days)), default=None)
        if last_day is None:
            raise FeedError(
                f"No order with a moment in {self.folder}.",
                feed="orders",
                remedy="deliver orders with ordered_at, or name the night with --as-of.",
            )
        return last_day

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """The files of the feed, sorted by path."""
        paths = [*self.folder.glob(f"{feed}.*"), *(self.folder / feed).rglob("*")]
        return [
            Input(path.relative_to(self.folder).as_posix(), _hash(path))
            for path in sorted(paths)
            if path.is_file() and not path.name.startswith((".", "_"))
        ]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterator[Relation]:
        """One relation for all files of one shape: a year of daily files is read in one pass."""
        shapes: dict[_Shape, list[str]] = {}
        for item in inputs:
            try:
                shape = _shape(con, self.folder / item.name, feed, _hive_columns(item.name))
            except (duckdb.Error, pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise unreadable(feed, item.name, error) from error
            shapes.setdefault(shape, []).append(item.name)
        for shape, names in shapes.items():
            yield Relation(
                sql=self._select(shape, names),
                label=names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
                input_names=tuple(names),
                ignored_columns=shape.hive_columns,
            )

    def _select(self, shape: _Shape, names: Sequence[str]) -> str:
        files = ", ".join(literal(str(self.folder / name)) for name in names)
        folder_length = len(str(self.folder / names[0])) - len(names[0])
        name = f"{quote(INPUT_COLUMN)}[{folder_length + 1}:]"
        added = [f"{name} as {quote(INPUT_COLUMN)}"]
        for column in sorted(shape.hive_columns - shape.columns):
            folder = literal(f"/{re.escape(column)}=([^/]*)/")
            added.append(f"url_decode(regexp_extract({name}, {folder}, 1, 'i')) as {quote(column)}")
        return (
            f"select * exclude ({quote(INPUT_COLUMN)}), {', '.join(added)} "
            f"from {shape.function}([{files}], {shape.options}, filename = {literal(INPUT_COLUMN)})"
        )


@dataclass(frozen=True)
class _Shape:
    """What files have in common that one table function can read together.

    `function` and its `options` read them; `columns` are those within the files, in lower case, and `hive_columns`
    those that the folders name; `types` keeps files apart whose columns differ in type.
    """

    function: str
    options: str
    columns: frozenset[str]
    hive_columns: frozenset[str]
    types: str = ""


def _hash(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _hive_columns(name: str) -> frozenset[str]:
    """The columns that folders like `date=2026-03-01` give to all rows of a file."""
    return frozenset(part.partition("=")[0].lower() for part in name.split("/")[:-1] if "=" in part)


def _shape(con: duckdb.DuckDBPyConnection, path: Path, feed: str, hive_columns: frozenset[str]) -> _Shape:
    """How to read a file: Parquet as it is typed, CSV and NDJSON as text."""
    compression = COMPRESSIONS.get(path.suffix)
    kind = (path.with_suffix("") if compression else path).suffix.removeprefix(".")
    if kind not in FORMATS or (compression and kind == "parquet"):
        raise FeedError(
            f"{path.name!r} has no format that is known.",
            feed=feed,
            file=path.name,
            remedy=f"deliver {', '.join(FORMATS)}; csv, ndjson and jsonl may be compressed as .gz or .zst.",
        )
    if kind == "parquet":
        schema = parquet.read_schema(path).remove_metadata()
        options = "hive_partitioning = false, binary_as_string = true"
        return _Shape("read_parquet", options, _lower(schema.names), hive_columns, str(schema))
    if compression:
        _check_complete(path, compression)
    if kind == "csv":
        delimiter, names = _csv_header(path, compression)
        options = f"auto_detect = false, header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"'"
        return _text_shape("read_csv", options, names, hive_columns)
    return _text_shape("read_ndjson", "records = true", _ndjson_keys(con, path, feed), hive_columns)


def _text_shape(function: str, options: str, names: Sequence[str], hive_columns: frozenset[str]) -> _Shape:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    return _Shape(function, f"{options}, columns = {{{columns}}}", _lower(names), hive_columns)


def _lower(names: Sequence[str]) -> frozenset[str]:
    return frozenset(name.lower() for name in names)


def _check_complete(path: Path, compression: str) -> None:
    """OSError when the stream breaks off: DuckDB would take a cut CSV for a short one."""
    with pa.input_stream(str(path), compression=compression) as stream:
        while stream.read(1 << 20):
            pass


def _csv_header(path: Path, compression: str | None) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns."""
    with pa.input_stream(str(path), compression=compression) as stream:
        header = stream.read(1 << 16).decode("utf-8-sig", errors="ignore")
    first_line = header.splitlines()[0] if header else ""
    delimiter = max(",;\t|", key=first_line.count)
    names = next(csv.reader([first_line], delimiter=delimiter), [])
    if not names:
        raise OSError("the file is empty, even the header is missing")
    return delimiter, names


def _ndjson_keys(con: duckdb.DuckDBPyConnection, path: Path, feed: str) -> list[str]:
    """Optional columns of the contract are always asked for: a key may first appear far down the file."""
    sampled = con.execute(
        f"describe from read_ndjson({literal(str(path))}, records = true, maximum_depth = 1, "
        "field_appearance_threshold = 0, map_inference_threshold = -1)"
    ).fetchall()
    names = [row[0] for row in sampled]
    present = {name.lower() for name in names}
    optional = [column.name for column in feed_named(feed).columns if not column.required]
    return names + [name for name in optional if name not in present]
