"""However a build is divided, its tables are those of the whole; shards of a step are gone when it ends."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import duckdb
import pytest

from flows.doctor import engine as look_at_engine
from flows.settings import Settings
from tasks.build_features import build_features
from tasks.engine import cluster, jobs, ray_engine
from tasks.engine.ray_engine import RayEngine
from tasks.night import Night
from tests.engine.conftest import tables
from warehouse.connect import read_sql
from warehouse.partitions import PARTITIONED, divide
from warehouse.shards import part


@pytest.fixture
def no_cluster(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], None]:
    """Jobs run in this process, one after the other, as if for so many workers; 0 takes the local engine."""

    def workers(count: int) -> None:
        node = cluster.Node(address="127.0.0.1", is_alive=True, cpus=count, gpus=0, memory=0)
        monkeypatch.setattr(cluster, "nodes", lambda: [node])
        monkeypatch.setattr(cluster, "join", lambda address, cpus=None: None)
        monkeypatch.setattr(cluster, "run_all", run_all)

    def run_all(function: Callable, jobs: Sequence) -> Iterator:
        yield from map(function, jobs)

    return workers


def test_parts_make_the_same_tables_bit_by_bit(
    shop_con: duckdb.DuckDBPyConnection, shop_night: Night, no_cluster: Callable[[int], None]
) -> None:
    build_features(shop_con, shop_night)
    whole = tables(shop_con, "features", "samples")
    orders = {file: ordered_rows(shop_con, file) for file in ("features/users.sql", "samples/recommendation.sql")}
    for plan in PARTITIONED.values():
        assert shop_con.execute(f"select count(*) from {plan.makes}").fetchall() > [(0,)]

    for workers in (1, 7):
        no_cluster(workers)
        report = build_features(shop_con, shop_night.model_copy(update={"engine": "ray"}))
        assert tables(shop_con, "features", "samples") == whole
        assert {file: ordered_rows(shop_con, file) for file in orders} == orders
        assert set(PARTITIONED) <= set(report.seconds)
        assert list(shop_night.home.iterdir()) == []
        for plan in PARTITIONED.values():
            division = divide(shop_con, plan, workers)
            assert len(division.stretches) > 1
            assert (len(division.users) > 1) == (plan.is_by_user and workers > 1)


def test_a_shop_without_orders_has_the_same_empty_tables(
    shop_con: duckdb.DuckDBPyConnection, shop_night: Night, no_cluster: Callable[[int], None]
) -> None:
    shop_con.execute("delete from raw.orders; delete from raw.order_lines")
    build_features(shop_con, shop_night)
    whole = tables(shop_con, "features", "samples")
    no_cluster(2)
    build_features(shop_con, shop_night.model_copy(update={"engine": "ray"}))
    assert tables(shop_con, "features", "samples") == whole


def test_an_error_on_a_worker_is_the_error_of_the_night(
    shop_con: duckdb.DuckDBPyConnection,
    shop_night: Night,
    no_cluster: Callable[[int], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    no_cluster(2)

    def fail(job: object) -> None:
        raise duckdb.OutOfMemoryException("no more")

    monkeypatch.setattr(ray_engine, "build_part", fail)
    with pytest.raises(duckdb.OutOfMemoryException):
        build_features(shop_con, shop_night.model_copy(update={"engine": "ray"}))
    assert list(shop_night.home.iterdir()) == []


def test_memory_is_shared_by_the_workers_of_a_machine(no_cluster: Callable[[int], None], shop_night: Night) -> None:
    no_cluster(4)
    engine = RayEngine(shop_night.model_copy(update={"memory_limit": "3 GB"}))
    assert (engine.workers, engine.memory_limit) == (4, "0.750GB")


def test_the_doctor_counts_nodes_that_are_dead(
    no_cluster: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_cluster(4)
    settings = Settings(engine="ray", engine_address="10.0.0.5:6379")
    found = look_at_engine(settings)
    assert (found.verdict, found.seen) == ("PASS", "ray at 10.0.0.5:6379, 1 of 1 nodes alive: 127.0.0.1 4 CPUs 0.0 GiB")
    lost = cluster.Node(address="10.0.0.6", is_alive=False, cpus=0, gpus=0, memory=0)
    monkeypatch.setattr(cluster, "nodes", lambda: [lost])
    found = look_at_engine(settings)
    assert found.verdict == "WARN" and "0 of 1 nodes alive: 10.0.0.6 dead" in found.seen and found.remedy


def test_without_the_extra_a_night_says_what_to_install(
    shop_con: duckdb.DuckDBPyConnection, shop_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(cluster.ClusterError, match=r"Remedy: pip install 'fivefold\[ray\]'"):
        build_features(shop_con, shop_night.model_copy(update={"engine": "ray"}))
    assert look_at_engine(Settings(engine="ray")).verdict == "FAIL"
    assert look_at_engine(Settings()).seen == "local, the night's own process"


def ordered_rows(con: duckdb.DuckDBPyConnection, file: str) -> list[tuple]:
    """The keys of the file's table in the order in which its rows lie."""
    second = {"features/users.sql": "user_id", "samples/recommendation.sql": "user_id, product_id"}[file]
    return con.execute(f"select cutoff_date, {second} from {PARTITIONED[file].makes}").fetchall()


def test_a_part_beyond_its_memory_spills(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Into a folder that is there though nothing was written before, and gone afterwards."""
    big = "create table big as select i, hash(i), repeat('x', 40) as words from range(2_000_000) as t (i) order by 2"
    monkeypatch.setattr(jobs, "read_sql", lambda file: big if file == "big.sql" else read_sql(file))
    target = tmp_path / "shards" / "big.made" / part(0)
    job = jobs.BuildJob(file="big.sql", makes="big", variables={}, inputs=(), target=target, memory_limit="60MB")
    made = jobs.build_part(job)
    assert made.shard is not None and made.shard.rows == 2_000_000
    assert [path.name for path in target.parent.iterdir()] == [target.name]
