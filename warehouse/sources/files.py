"""A folder of files: `files:FOLDER`.

Each feed is a file (`orders.csv`) or a folder of files (`orders/2026-03-01.parquet`, or hive partitions such as
`orders/date=2026-03-01/part.parquet`). Parquet, CSV (a header, UTF-8) and NDJSON (`.ndjson`, `.jsonl`) are read, the
last two also as `.gz` and `.zst`. A file is an input, known by its path and content; of two rows with one key the file
that sorts later wins. Everything that lies in the folder is loaded: what an earlier night may know is up to the
features, which look at moments.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa

from warehouse.casting import INPUT_COLUMN, parsed
from warehouse.connect import open_memory
from warehouse.contracts import feed as feed_named
from warehouse.contracts.table import literal, quote
from warehouse.formats.folder import files_of, path_literal
from warehouse.formats.shape import Shape, shape_of
from warehouse.formats.text import UnsoundFile
from warehouse.sources.base import FeedError, Input, Relation, Source, unreadable


class Files(Source):
    """A folder with a file, or a folder of files, per feed. Moments without an offset are UTC."""

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self.folder = Path(location or "").expanduser()
        self._states: dict[str, tuple[int, ...] | None] = {}
        if not location or not self.folder.is_dir():
            raise FeedError(
                f"There is no folder {str(self.folder)!r}.",
                remedy="name the folder that holds orders.csv, products.parquet and so on as files:FOLDER.",
            )

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last order; a moment that no order can have does not count."""
        with open_memory() as con:
            moment = self.latest_moment(con, self.inputs(con, "orders"))
        if moment is None:
            raise FeedError(
                f"No order with a moment in {self.folder}.",
                feed="orders",
                remedy="deliver orders with ordered_at, or name the night with --as-of.",
            )
        return day_after(moment, time_zone or self.time_zone)

    def latest_moment(self, con: duckdb.DuckDBPyConnection, inputs: Sequence[Input]) -> datetime | None:
        """When the last order in these inputs was, in UTC; None where none has a moment."""
        orders = feed_named("orders")
        latest: datetime | None = None
        for relation in self.relations(con, "orders", inputs):
            try:
                types = {row[0]: row[1] for row in con.execute(f"describe {relation.sql}").fetchall()}
                if "ordered_at" not in types:
                    continue
                moment = parsed(orders.column("ordered_at"), types["ordered_at"], is_event=True)
                found = con.execute(f"select max({moment}) from ({relation.sql})").fetchall()[0][0]
            except duckdb.Error as error:
                raise unreadable("orders", relation.label, error) from error
            latest = max(filter(None, (latest, found)), default=None)
        return latest

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """The files of the feed, sorted by path; FeedError names one that is no readable file."""
        paths = files_of(self.folder, feed)
        self._states |= {name: _state(path) for name, path in paths.items()}
        return [Input(name, _hash(path, feed, name)) for name, path in paths.items()]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterator[Relation]:
        """One relation for all files of one shape: a year of daily files is read in one pass.

        FeedError when a file has changed since it was named as an input: half of it may be of either version.
        """
        shapes: dict[Shape, dict[str, int | None]] = {}
        for item in inputs:
            path = self.folder / item.name
            try:
                shape, rows = shape_of(con, path, feed, _hive_columns(item.name), self.most_bytes)
            except UnsoundFile as error:
                raise FeedError(
                    f"It cannot be read: {error.problem}.", feed=feed, file=item.name, remedy=f"{error.remedy}."
                ) from error
            except (duckdb.Error, pa.ArrowException, OSError, UnicodeDecodeError) as error:
                raise unreadable(feed, item.name, error) from error
            shapes.setdefault(shape, {})[item.name] = rows
        for shape, rows_of in shapes.items():
            names = tuple(rows_of)
            yield Relation(
                sql=self._select(shape, names),
                label=names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} more",
                input_names=names,
                ignored_columns=shape.hive_columns,
                row_counts={name: rows for name, rows in rows_of.items() if rows is not None},
                is_columnar=shape.is_columnar,
            )
        for item in inputs:
            if item.name in self._states and self._states[item.name] != _state(self.folder / item.name):
                raise FeedError(
                    "It was changed while it was read.",
                    feed=feed,
                    file=item.name,
                    remedy="write files under another name, such as .NAME.part, and rename them when they are whole; "
                    "run the night again.",
                )

    def _select(self, shape: Shape, names: Sequence[str]) -> str:
        files = ", ".join(path_literal(self.folder / name) for name in names)
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


def day_after(moment: datetime, time_zone: str) -> date:
    """The day after the one on which the moment, in UTC, is in that time zone."""
    return moment.replace(tzinfo=UTC).astimezone(ZoneInfo(time_zone)).date() + timedelta(days=1)


def _state(path: Path) -> tuple[int, ...] | None:
    """What changes with the content of a file; None when it is gone."""
    try:
        seen = path.stat()
    except OSError:
        return None
    return seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns


def _hash(path: Path, feed: str, name: str) -> str:
    try:
        with path.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise unreadable(feed, name, error) from error


def _hive_columns(name: str) -> frozenset[str]:
    """The columns that folders like `date=2026-03-01` give to all rows of a file."""
    pairs = (part.partition("=") for part in name.split("/")[:-1])
    return frozenset(column.lower() for column, equals, _ in pairs if column and equals)
