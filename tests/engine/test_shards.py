"""Sets of shards come back as they went, or not at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from warehouse.connect import open_memory
from warehouse.shards import MANIFEST, ShardError, ShardSet, export_set, open_set, set_folder, write_shard

# Of every kind that working tables have; sums are integers of 16 bytes, which Parquet does not know.
ROWS = """
    select
        n, 'user' || n as user_id, sum(n) over () * 9_000_000_000_000_000 as total,
        date '2024-01-01' + n::integer as day, n % 2 = 0 as is_even,
        n / 7 as ratio, cast(n / 7 as float) as small_ratio, cast(n as decimal(18, 4)) / 3 as money,
        [n / 3, null] as shares, timestamp '2024-01-01' + interval (n) second as at,
        case when n % 3 = 0 then n::smallint end as sometimes
    from range(1000) as numbers (n)
"""


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_memory() as con:
        yield con


@pytest.fixture
def shards(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> ShardSet:
    parts = [f"n % 3 = {number}" for number in range(3)]
    return export_set(con, ROWS, set_folder(tmp_path, "rows", "night"), "a test", parts)


def test_every_bit_and_type_comes_back(con: duckdb.DuckDBPyConnection, shards: ShardSet) -> None:
    again = open_set(shards.folder)
    assert again == shards
    assert again.rows == 1000 and [shard.rows for shard in again.shards] == [334, 333, 333]
    con.execute(f"create table made as {ROWS}")
    con.execute(f"create table found as {again.select()}")
    types = "select column_name, data_type from duckdb_columns() where table_name = '{}' order by all"
    assert con.execute(types.format("made")).fetchall() == con.execute(types.format("found")).fetchall()
    assert "HUGEINT" in dict(con.execute(types.format("made")).fetchall()).values()
    assert con.execute("(from made except all from found) union all (from found except all from made)").fetchall() == []
    assert (
        con.execute(again.select(again.shards[1:2], "n > 990")).fetchall()
        == con.execute(f"from ({ROWS}) where n % 3 = 1 and n > 990").fetchall()
    )


def test_a_set_without_manifest_is_none(shards: ShardSet) -> None:
    (shards.folder / MANIFEST).unlink()
    with pytest.raises(ShardError, match="has not finished"):
        open_set(shards.folder)


def test_a_changed_shard_is_refused(con: duckdb.DuckDBPyConnection, shards: ShardSet) -> None:
    file = shards.files[1]
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)
    found = open_set(shards.folder)
    with pytest.raises(ShardError, match=r"part-00001.parquet is not as its manifest says\. Remedy"):
        found.select()
    found.select(found.shards[:1])
    file.unlink()
    with pytest.raises(ShardError):
        found.select()


def test_a_shard_written_twice_is_whole_and_leaves_nothing_beside_it(
    con: duckdb.DuckDBPyConnection, shards: ShardSet
) -> None:
    first = shards.shards[0]
    assert write_shard(con, f"select * from ({ROWS}) where n % 3 = 0", first.path) == first
    with pytest.raises(duckdb.Error):
        write_shard(con, "select 1 / n as x, error('no') as y from range(3) as numbers (n)", first.path)
    assert first.verified() == first.path
    assert sorted(path.name for path in shards.folder.iterdir()) == [MANIFEST, *(path.name for path in shards.files)]
