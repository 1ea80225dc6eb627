"""Small files that unpack to more than a night may read; the great ones are benchmarks."""

from __future__ import annotations

import gzip
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest
from pyarrow import parquet

from tests.hostile.good import as_csv, good_rows
from tests.hostile.outcome import ingest_and_validate
from warehouse.sources import FeedError

MOST_BYTES = 1_000_000
HEADER, *LINES = as_csv(good_rows("order_lines")).splitlines()


def gzipped(folder: Path) -> Path:
    """Some kilobytes that unpack to three times the limit."""
    rows = (LINES[0] + "\n") * (3 * MOST_BYTES // len(LINES[0]))
    path = folder / "order_lines.csv.gz"
    path.write_bytes(gzip.compress(f"{HEADER}\n{rows}".encode()))
    return path


def dictionary(folder: Path) -> Path:
    """One text of a kilobyte that three thousand rows name."""
    count = 3 * MOST_BYTES // 1000
    ids = pa.array([str(number) for number in range(count)])
    text = pa.DictionaryArray.from_arrays(pa.array([0] * count, pa.int32()), ["x" * 1000])
    path = folder / "order_lines.parquet"
    quantity = pa.array([1.0] * count)
    parquet.write_table(
        pa.table({"order_line_id": ids, "order_id": ids, "product_id": text, "quantity": quantity}), path
    )
    return path


@pytest.mark.parametrize("bomb", [gzipped, dictionary])
def test_a_bomb_is_one_error_and_loads_nothing(con: duckdb.DuckDBPyConnection, folder: Path, bomb) -> None:
    folder.mkdir()
    path = bomb(folder)
    assert path.stat().st_size < MOST_BYTES / 20
    with pytest.raises(FeedError, match=r"unpacks? to more than 0\.001 GB") as error:
        ingest_and_validate(con, folder, most_bytes=MOST_BYTES)
    assert error.value.file == path.name and "validation.unpacked_gigabytes" in error.value.remedy
    assert con.execute("select count(*) from ops.loads where run_id = 'night'").fetchall() == [(0,)]


@pytest.mark.parametrize("bomb", [gzipped, dictionary])
def test_with_the_limit_raised_it_is_read(con: duckdb.DuckDBPyConnection, folder: Path, bomb) -> None:
    folder.mkdir()
    bomb(folder)
    assert ingest_and_validate(con, folder, most_bytes=100 * MOST_BYTES).rows_read > 1000
