from __future__ import annotations

import gzip
import json
from datetime import date
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from warehouse.contracts import feed
from warehouse.ingest import load_feed
from warehouse.sources import FeedError, open_source

LINES = [
    {"order_line_id": "1", "order_id": "o", "product_id": "A", "quantity": 2, "sold_price": 1.5, "discount": None},
    {
        "order_line_id": "2",
        "order_id": "o",
        "product_id": 'B, "big"',
        "quantity": 0.5,
        "sold_price": None,
        "discount": 1,
    },
]
CSV = 'order_line_id;order_id;product_id;quantity;sold_price;discount\n1;o;A;2;1.5;\n2;o;"B, ""big""";0.5;;1\n'
_OPTIONS = {"parquet": "format parquet", "csv": "header", "ndjson": "format json"}
NDJSON = "".join(json.dumps(line) + "\n" for line in LINES)


def _zst(text: str) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(text.encode())
    return sink.getvalue().to_pybytes()


def _parquet(path: Path) -> bytes:
    con = duckdb.connect()
    con.execute(f"copy (from read_ndjson('{path}')) to '{path}.parquet'")
    con.close()
    return Path(f"{path}.parquet").read_bytes()


@pytest.mark.parametrize(
    "name",
    [
        "order_lines.csv",
        "order_lines.csv.gz",
        "order_lines.csv.zst",
        "order_lines.ndjson",
        "order_lines.jsonl.gz",
        "order_lines.ndjson.zst",
        "order_lines.parquet",
        "order_lines/part-1.csv",
        "order_lines/date=2026-03-01/part.parquet",
    ],
)
def test_every_format_gives_the_same_rows(con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str) -> None:
    text = CSV if ".csv" in name else NDJSON
    content = text.encode()
    if name.endswith(".parquet"):
        (tmp_path / "_lines").write_text(NDJSON)
        content = _parquet(tmp_path / "_lines")
    elif name.endswith(".gz"):
        content = gzip.compress(content)
    elif name.endswith(".zst"):
        content = _zst(text)
    file = tmp_path / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    loaded = load_feed(con, open_source(f"files:{tmp_path}"), feed("order_lines"), "night")
    assert loaded.unknown_columns == ()
    columns = "order_line_id, product_id, quantity, sold_price::double, discount::double"
    assert con.execute(f"select {columns} from raw.order_lines order by 1").fetchall() == [
        ("1", "A", 2.0, 1.5, None),
        ("2", 'B, "big"', 0.5, None, 1.0),
    ]


def test_a_hive_partition_gives_a_column_that_the_file_lacks(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    for day in ("2026-03-01", "2026-03-02"):
        file = tmp_path / f"inventory_snapshots/snapshot_date={day}/stock.csv"
        file.parent.mkdir(parents=True)
        file.write_text("site_id,product_id,on_hand_units\nnorth,A,3\n")
    load_feed(con, open_source(f"files:{tmp_path}"), feed("inventory_snapshots"), "night")
    days = con.execute("select snapshot_date from raw.inventory_snapshots order by all").fetchall()
    assert days == [(date(2026, 3, 1),), (date(2026, 3, 2),)]


@pytest.mark.parametrize("kind", ["parquet", "csv", "ndjson"])
def test_daily_files_of_one_shape_are_read_at_once(con: duckdb.DuckDBPyConnection, tmp_path: Path, kind: str) -> None:
    days = {f"users/2026-03-0{day}.{kind}": f"u{day}" for day in (1, 2, 3)}
    (tmp_path / "users").mkdir()
    for name, user in days.items():
        con.execute(f"copy (select '{user}' as user_id, 2 as household_size) to '{tmp_path / name}' ({_OPTIONS[kind]})")
    source = open_source(f"files:{tmp_path}")
    relations = list(source.relations(con, "users", source.inputs(con, "users")))
    assert [relation.input_names for relation in relations] == [tuple(days)]
    load_feed(con, source, feed("users"), "night")
    found = con.execute(
        "select input_name, user_id, household_size from raw.users join ops.loads on load_id = _load_id order by all"
    ).fetchall()
    assert found == [(name, user, 2.0) for name, user in days.items()]


def test_files_of_different_types_are_read_apart(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    columns = ("2 as household_size", "'3' as household_size", "4 as household_size", "5 as household_size, 0 as note")
    for number, values in enumerate(columns, start=1):
        con.execute(f"copy (select 'u{number}' as user_id, {values}) to '{tmp_path}/users/{number}.parquet'")
    loaded = load_feed(con, open_source(f"files:{tmp_path}"), feed("users"), "night")
    assert loaded.unknown_columns == ("note",)
    assert con.execute("select household_size from raw.users order by user_id").fetchall() == [(2,), (3,), (4,), (5,)]
    noted = con.execute("select input_name from ops.loads where unknown_columns = 'note'").fetchall()
    assert noted == [("users/4.parquet",)]


def test_the_row_of_an_error_counts_within_its_file(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    (tmp_path / "users").mkdir()
    (tmp_path / "users/1.csv").write_text("user_id,household_size\na,1\nb,2\n")
    (tmp_path / "users/2.csv").write_text("user_id,household_size\nc,3\nd,many\ne,more\nf,much\ng,none\n")
    with pytest.raises(FeedError) as caught:
        load_feed(con, open_source(f"files:{tmp_path}"), feed("users"), "night")
    assert (caught.value.file, caught.value.row) == ("users/2.csv", 2)


@pytest.mark.parametrize("name", ["users.csv.gz", "users.csv.zst", "users.ndjson.gz", "users.ndjson.zst"])
def test_a_compressed_file_that_breaks_off_is_refused(
    con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str
) -> None:
    rows = [f"user-{number * number}" for number in range(5000)]
    text = "user_id\n" + "\n".join(rows) if ".csv" in name else "\n".join(f'{{"user_id":"{row}"}}' for row in rows)
    whole = gzip.compress(text.encode()) if name.endswith("gz") else _zst(text)
    (tmp_path / name).write_bytes(whole[: len(whole) * 2 // 3])
    with pytest.raises(FeedError) as caught:
        load_feed(con, open_source(f"files:{tmp_path}"), feed("users"), "night")
    assert caught.value.file == name
    assert con.execute("select count(*) from raw.users").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("users.csv", b""),
        ("users.csv", b"user_id,gender\n1,J\xe9\n"),
        ("users.ndjson", b'{"user_id":"1"}\n{"user_id":\n'),
        ("users.parquet", b"PAR1"),
        ("users.csv.gz", b"not compressed"),
        ("users.xlsx", b"a workbook"),
    ],
)
def test_an_unreadable_file_is_named(con: duckdb.DuckDBPyConnection, tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(FeedError) as caught:
        load_feed(con, open_source(f"files:{tmp_path}"), feed("users"), "night")
    assert caught.value.file == name
    assert caught.value.remedy


def test_a_key_that_first_appears_far_down_a_json_file_is_read(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    lines = [f'{{"user_id":"{number}"}}' for number in range(30_000)] + ['{"user_id":"last","region":"north"}']
    (tmp_path / "users.ndjson").write_text("\n".join(lines))
    load_feed(con, open_source(f"files:{tmp_path}"), feed("users"), "night")
    assert con.execute("select user_id from raw.users where region = 'north'").fetchall() == [("last",)]


def test_the_latest_as_of_is_the_day_after_the_last_local_order(tmp_path: Path) -> None:
    (tmp_path / "orders").mkdir()
    (tmp_path / "orders/1.csv").write_text("order_id,user_id,ordered_at\n1,u,2026-03-02T03:00:00Z\n")
    (tmp_path / "orders/2.csv").write_text("order_id,user_id,ordered_at\n2,u,2026-03-01T03:00:00Z\n")
    source = open_source(f"files:{tmp_path}")
    assert source.latest_as_of() == date(2026, 3, 3)
    assert source.latest_as_of("America/New_York") == date(2026, 3, 2)


def test_an_unknown_source_names_the_nearest() -> None:
    with pytest.raises(FeedError, match="did you mean 'completejourney'"):
        open_source("complete-journey")


def test_a_folder_that_is_not_there_is_named(con: duckdb.DuckDBPyConnection) -> None:
    with pytest.raises(FeedError, match="no folder 'nowhere'"):
        open_source("files:nowhere").inputs(con, "users")
