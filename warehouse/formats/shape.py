"""How a file is to be read: by its name, its header or footer, and what is known of it before its rows are read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from warehouse.casting import BROKEN_COLUMN, INPUT_COLUMN
from warehouse.contracts import feed as feed_named
from warehouse.contracts.table import literal
from warehouse.formats import parquet, text
from warehouse.formats.folder import path_literal
from warehouse.formats.text import UnsoundFile

FORMATS = ("parquet", "csv", "ndjson", "jsonl")
COMPRESSIONS = {".gz": "gzip", ".zst": "zstd"}
# More columns than any contract has, by far: each costs time in every step of a load.
_MOST_COLUMNS = 2_000


@dataclass(frozen=True)
class Shape:
    """What files have in common that one table function can read together.

    `function` and its `options` read them; `columns` are those within the files, in lower case, and `hive_columns`
    those that the folders name; `types` keeps files apart whose columns differ in type.
    """

    function: str
    options: str
    columns: frozenset[str]
    hive_columns: frozenset[str]
    types: str = ""

    @property
    def is_columnar(self) -> bool:
        """Whether single columns are read at little cost."""
        return self.function == "read_parquet"


def shape_of(
    con: duckdb.DuckDBPyConnection, path: Path, feed: str, hive_columns: frozenset[str], most_bytes: int
) -> tuple[Shape, int | None]:
    """How to read a file (Parquet as it is typed, CSV and NDJSON as text), and its rows where they can be counted.

    UnsoundFile, OSError, pyarrow.ArrowException or duckdb.Error say why it cannot be read.
    """
    compression = COMPRESSIONS.get(path.suffix)
    kind = (path.with_suffix("") if compression else path).suffix.removeprefix(".")
    if kind not in FORMATS or (compression and kind == "parquet"):
        raise UnsoundFile(
            f"{path.name!r} has no format that is known",
            f"deliver {', '.join(FORMATS)}; csv, ndjson and jsonl may be compressed as .gz or .zst. A name that begins "
            "with _ or . is passed over",
        )
    if kind == "parquet":
        facts = parquet.inspect(con, path, most_bytes=most_bytes)
        columns = _lower(facts.columns)
        return Shape("read_parquet", parquet.OPTIONS, columns, hive_columns, facts.schema), facts.rows
    known = text.scan(path, compression, is_json=kind != "csv", most_bytes=most_bytes)
    if kind == "csv":
        delimiter, names = text.csv_header(known.head)
        options = f"auto_detect = false, header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"'"
        # A quoted value may hold line ends, and an empty line is a row where there is but one column.
        is_countable = not known.has_quotes and len(names) > 1
        rows = known.lines - 1 if is_countable else None
        return _text_shape("read_csv", options, names, hive_columns), rows
    if not known.lines:
        raise UnsoundFile("it is empty", "deliver it with a row, or leave it out")
    names = _ndjson_keys(con, path, feed)
    return _text_shape("read_ndjson", "records = true", names, hive_columns), known.lines


def _text_shape(function: str, options: str, names: Sequence[str], hive_columns: frozenset[str]) -> Shape:
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in names)
    options += ", hive_partitioning = false"
    return Shape(function, f"{options}, columns = {{{columns}}}", _lower(names), hive_columns)


def _lower(names: Sequence[str]) -> frozenset[str]:
    """The names in lower case; UnsoundFile where they cannot be columns beside those of the load itself."""
    lower = frozenset(name.lower() for name in names)
    for name in sorted(lower & {INPUT_COLUMN, BROKEN_COLUMN}):
        raise UnsoundFile(f"its column {name!r} has a name that the load itself uses", "rename or remove it")
    if any("\0" in name for name in names):
        raise UnsoundFile("a column has a NUL byte in its name", "rename the column")
    if len(names) > _MOST_COLUMNS:
        raise UnsoundFile(f"it has {len(names):,} columns", f"deliver those of the contract, {_MOST_COLUMNS:,} at most")
    return lower


def _ndjson_keys(con: duckdb.DuckDBPyConnection, path: Path, feed: str) -> list[str]:
    """Optional columns of the contract are always asked for: a key may first appear far down the file."""
    sampled = con.execute(
        f"describe from read_ndjson({path_literal(path)}, records = true, maximum_depth = 1, "
        "field_appearance_threshold = 0, map_inference_threshold = -1)"
    ).fetchall()
    names = [row[0] for row in sampled]
    present = {name.lower() for name in names}
    optional = [column.name for column in feed_named(feed).columns if not column.required]
    return names + [name for name in optional if name not in present]
