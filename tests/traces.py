"""Looking for words in every byte that was written, and in what is compressed as it reads."""

from __future__ import annotations

import gzip
from collections.abc import Iterable, Iterator
from pathlib import Path

import duckdb
import polars as pl


def traces(words: Iterable[str], *places: Path) -> set[tuple[str, str]]:
    """(file, word) of each word that a file below the places has, in its bytes or unpacked."""
    wanted = {word: word.encode() for word in words}
    found = set()
    for file in sorted(
        path for place in places for path in place.rglob("*") if path.is_file() and not path.is_symlink()
    ):
        for content in contents(file):
            found |= {(file.name, word) for word, encoded in wanted.items() if encoded in content}
    return found


def contents(file: Path) -> Iterator[bytes]:
    """The bytes of the file, and what is packed in it as text."""
    yield file.read_bytes()
    if file.suffix == ".gz":
        yield gzip.decompress(file.read_bytes())
    elif file.suffix == ".parquet":
        yield pl.read_parquet(file).write_ndjson().encode()
    elif file.suffix == ".duckdb":
        with duckdb.connect(str(file), read_only=True) as con:
            for schema, table in con.execute("select schema_name, table_name from duckdb_tables()").fetchall():
                rows = con.execute(f'select cast(columns(*) as varchar) from "{schema}"."{table}"').fetchall()
                yield repr(rows).encode()
