"""What is known of a Parquet file before its rows are read: from its footer, and from the texts if they may be huge.

A few kilobytes of Parquet can stand for terabytes: a billion equal rows, or one long text that every row names. Such
files are refused before they fill the disk.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb
import pyarrow as pa
from pyarrow import parquet

from warehouse.contracts.table import quote
from warehouse.formats.folder import path_literal
from warehouse.formats.text import LONGEST_LINE, UnsoundFile

# How the files are read, here and for the warehouse.
OPTIONS = "hive_partitioning = false, binary_as_string = true"
_MAGIC = b"PAR1"


@dataclass(frozen=True)
class ParquetFacts:
    """`columns` of the file, its `schema` as text (equal texts mean equal types) and its number of `rows`."""

    columns: tuple[str, ...]
    schema: str
    rows: int


def inspect(con: duckdb.DuckDBPyConnection, path: Path, *, most_bytes: int) -> ParquetFacts:
    """Read the footer. UnsoundFile: the file unpacks to more than `most_bytes`, or a text is absurdly long."""
    with path.open("rb") as stream:
        if stream.read(len(_MAGIC)) != _MAGIC:
            raise UnsoundFile("it does not begin as a Parquet file does", "deliver the file again, as Parquet")
    footer = parquet.read_metadata(path)
    schema = footer.schema.to_arrow_schema().remove_metadata()
    # No further into the footer: of a spoilt one, pyarrow's description of a column ends the process.
    groups = [footer.row_group(number).total_byte_size for number in range(footer.num_row_groups)]
    unpacked = max(footer.num_rows * 8 * footer.num_columns, sum(groups))
    if unpacked <= most_bytes and _may_hold_much(groups, footer.num_rows, most_bytes):
        unpacked += _measure_texts(con, path, [field.name for field in schema if _is_text(field.type)])
    if unpacked > most_bytes:
        raise UnsoundFile(
            f"its {footer.num_rows:,} rows unpack to more than {most_bytes / 1e9:g} GB",
            "deliver it in parts, or raise validation.unpacked_gigabytes if it is meant to be so large",
        )
    return ParquetFacts(columns=tuple(schema.names), schema=str(schema), rows=footer.num_rows)


def _may_hold_much(groups: list[int], rows: int, most_bytes: int) -> bool:
    """Whether a text can be absurdly long, or named by so many rows that all are: most files are too small for it.
    `groups` are the bytes of each row group."""
    largest = max(groups, default=0)
    return largest > LONGEST_LINE or largest * rows > most_bytes or min(groups, default=1) <= 0


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    tests = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(test(kind) for test in (*tests, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_binary_view))


def _measure_texts(con: duckdb.DuckDBPyConnection, path: Path, columns: list[str]) -> int:
    """Bytes of all texts of these columns; UnsoundFile names the row and column of one that is too long."""
    if not columns:
        return 0
    lengths = [f"strlen({quote(name)})" for name in columns]
    file = f"read_parquet({path_literal(path)}, {OPTIONS}, file_row_number = true)"
    measures = ", ".join(f"max({length}), sum({length}), arg_max(file_row_number, {length})" for length in lengths)
    (measured,) = con.execute(f"select {measures} from {file}").fetchall()
    total = 0
    for name, longest, size, row in zip(columns, measured[0::3], measured[1::3], measured[2::3], strict=True):
        if (longest or 0) > LONGEST_LINE:
            raise UnsoundFile(
                f"row {row + 1} has {longest:,} bytes of text in column {name!r}",
                f"shorten it to {LONGEST_LINE:,} bytes; no column of a feed holds so much text",
            )
        total += int(size or 0)
    return total
