"""Feeds that lie in a bucket are loaded like those of a folder, each object once."""

from __future__ import annotations

import os
import sys
from datetime import date
from http.client import HTTPConnection
from pathlib import Path

import duckdb
import pytest

from tests.landing import empty_warehouse
from tests.object_storage.conftest import SECRET
from warehouse.contracts import feed
from warehouse.ingest import FeedLoad, load_feed
from warehouse.object_storage.store import ExtraMissing, Store, StoreLost, StoreRefused
from warehouse.sources import FeedError, open_source

ORDERS = "order_id,user_id,ordered_at,order_total\n"
FIRST = ORDERS + "o1,ann,2026-03-01 10:00:00,12.50\no2,bob,2026-03-01 23:30:00,7\n"


def load(con: duckdb.DuckDBPyConnection, location: str, home: Path, name: str = "orders") -> FeedLoad:
    return load_feed(con, open_source(f"files:{location}", home=home), feed(name), "night")


def put(bucket: str, key: str, content: bytes) -> None:
    """Write an object under a key that no client of ours would write."""
    connection = HTTPConnection(os.environ["AWS_ENDPOINT_URL"].removeprefix("http://"))
    connection.request("PUT", f"/{bucket.removeprefix('s3://')}/{key}", body=content)
    assert connection.getresponse().status == 200
    connection.close()


def ids(con: duckdb.DuckDBPyConnection) -> list[str]:
    return [row[0] for row in con.execute("select order_id from raw.orders order by 1").fetchall()]


def test_an_object_is_loaded_once_and_a_changed_one_replaces_its_rows(bucket: str, tmp_path: Path) -> None:
    store = Store(f"{bucket}/feeds")
    store.write("orders/2026-03-01.csv", FIRST.encode())
    store.write("orders/_SUCCESS", b"")
    put(bucket, "feeds/orders/", b"")
    store.write("orders.old/2026-01-01.csv", b"no feed of ours")
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        first = load(con, f"{bucket}/feeds", tmp_path)
        assert (first.inputs_seen, first.inputs_loaded, first.rows_read) == (1, 1, 2)
        again = load(con, f"{bucket}/feeds", tmp_path)
        assert (again.inputs_seen, again.inputs_loaded) == (1, 0)
        store.write("orders/2026-03-01.csv", FIRST.replace("o2", "o9").encode())
        store.write("orders/2026-03-02.ndjson", b'{"order_id": "o3", "user_id": "ann", "ordered_at": "2026-03-02"}\n')
        assert load(con, f"{bucket}/feeds", tmp_path).inputs_loaded == 2
        assert ids(con) == ["o1", "o3", "o9"]
        names = con.execute("select distinct input_name from ops.loads order by 1").fetchall()
        assert names == [("orders/2026-03-01.csv",), ("orders/2026-03-02.ndjson",)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["warehouse.duckdb"]
    assert SECRET.encode() not in (tmp_path / "warehouse.duckdb").read_bytes()


def test_the_same_rows_arrive_as_from_a_folder(bucket: str, tmp_path: Path) -> None:
    name, broken = "orders/date=2026-03-01/päckchen 1.csv", FIRST + "o4,cat,no moment,1\n"
    Store(f"{bucket}/a b").write(name, broken.encode())
    file = tmp_path / "feeds" / name
    file.parent.mkdir(parents=True)
    file.write_text(broken)
    found = []
    for number, location in enumerate((f"{bucket}/a b", str(tmp_path / "feeds"))):
        with empty_warehouse(tmp_path / f"{number}.duckdb") as con:
            told = load(con, location, tmp_path)
            rows = con.execute("select * exclude (_load_id) from raw.orders order by order_id").fetchall()
            found.append((told, rows, con.execute("select feed, input_name, rows_read from ops.loads").fetchall()))
    assert found[0] == found[1] and found[0][0].rows_read == 3


def test_planning_a_night_fetches_only_what_is_new(
    bucket: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(bucket)
    store.write("orders/1.csv", FIRST.encode())
    assert open_source(f"files:{bucket}", home=tmp_path).latest_as_of("Europe/Berlin") == date(2026, 3, 3)
    store.write("orders/2.csv", (ORDERS + "o5,ann,2026-03-05 10:00:00,1\n").encode())
    fetched: list[str] = []
    real = Store.fetch
    monkeypatch.setattr(Store, "fetch", lambda self, found, path: (fetched.append(found.name), real(self, found, path)))
    assert open_source(f"files:{bucket}", home=tmp_path).latest_as_of() == date(2026, 3, 6)
    assert fetched == ["orders/2.csv"]


def test_an_object_that_changes_meanwhile_stops_its_feed(bucket: str, tmp_path: Path) -> None:
    store = Store(bucket)
    store.write("orders.csv", FIRST.encode())
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        source = open_source(f"files:{bucket}", home=tmp_path)
        inputs = source.inputs(con, "orders")
        store.write("orders.csv", FIRST.replace("o1", "o7").encode())
        with pytest.raises(FeedError, match=r"orders\.csv.*changed while it was read"):
            list(source.relations(con, "orders", inputs))


@pytest.mark.parametrize("key", ["orders/%2e%2e/%2e%2e/x.csv", "orders//x.csv", "orders/a%00b.csv", "orders/a%5Cb.csv"])
def test_a_name_that_leads_elsewhere_is_refused(key: str, bucket: str, tmp_path: Path) -> None:
    put(bucket, f"feeds/{key}", FIRST.encode())
    with pytest.raises((FeedError, StoreRefused), match=r"Remedy: rename"):
        open_source(f"files:{bucket}/feeds", home=tmp_path).latest_as_of()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("location", ["s3://", "s3:///feeds", "gs://shop/feeds"])
def test_what_is_no_bucket_is_refused_before_anything_is_asked(location: str) -> None:
    with pytest.raises(FeedError, match=r"no bucket.*Remedy: write s3://"):
        open_source(f"files:{location}")


def test_a_store_that_refuses_and_one_that_is_away_say_so(bucket: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(StoreRefused, match=r"NoSuchBucket.*Remedy"):
        open_source("files:s3://nobody-made-this").latest_as_of()
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
    with pytest.raises(StoreLost, match=f"{bucket} says.*Remedy") as told:
        open_source(f"files:{bucket}").latest_as_of()
    assert SECRET not in str(told.value)


def test_without_the_extra_a_bucket_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "obstore", None)
    with pytest.raises(ExtraMissing, match=r"Remedy: pip install 'fivefold\[s3\]'"):
        open_source("files:s3://shop").latest_as_of()
