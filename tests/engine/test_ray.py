"""A real cluster of two nodes on loopback: equal tables, and a node that is killed at work."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

pytest.importorskip("ray", reason="the extra 'ray' is not installed")

from ray.cluster_utils import Cluster

from flows.doctor import engine as look_at_engine
from flows.settings import Settings
from tasks.build_features import build_features
from tasks.engine import cluster, engine_of, ray_engine, ray_training, shut_down
from tasks.engine.jobs import build_part, predict_shard
from tasks.engine.ray_training import train_member
from tasks.night import Night
from tasks.predict_heads import PredictionReport, predict_heads
from tests.engine.conftest import tables
from tests.engine.toy_course import new_course

PASSES = 6


@pytest.fixture(scope="module")
def nodes() -> Iterator[Cluster]:
    """A head, to which tests add nodes of their own."""
    found = Cluster()
    add_node(found, include_dashboard=False)
    cluster.join(found.address)
    yield found
    cluster.leave()
    found.shutdown()


def add_node(nodes: Cluster, **options: Any) -> Any:
    """On a busy machine Ray gives up a node that takes more than 15 seconds; the next one is quicker."""
    for _ in range(3):
        with suppress(Exception):
            return nodes.add_node(num_cpus=1, object_store_memory=100 << 20, **options)
    return nodes.add_node(num_cpus=1, object_store_memory=100 << 20, **options)


@pytest.fixture
def doomed(nodes: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """A second node, killed at its first job; the jobs that began there."""
    node = add_node(nodes)
    nodes.wait_for_nodes()
    began = tmp_path / "began"
    began.mkdir()
    for name, function in (("build_part", build_part), ("predict_shard", predict_shard)):
        monkeypatch.setattr(ray_engine, name, telling(function, began, node.node_id))
    killer = threading.Thread(target=kill_at_work, args=(nodes, node, began), daemon=True)
    killer.start()
    jobs: list[str] = []
    yield jobs
    killer.join(timeout=60)
    jobs += sorted(path.name for path in began.iterdir())


def telling(function: Any, began: Path, node_id: str) -> Any:
    """The job, which on that node says that it has begun, and takes its time. On the other it waits for that: a busy
    machine brings up the workers of the second node when the first could have done everything."""

    def job_with_words(job: Any) -> Any:
        import ray

        if ray.get_runtime_context().get_node_id() == node_id:
            (began / job.target.name).touch()
            time.sleep(60)
        waits_until = time.monotonic() + 60
        while not any(began.iterdir()) and time.monotonic() < waits_until:
            time.sleep(0.05)
        return function(job)

    return job_with_words


def kill_at_work(nodes: Cluster, node: Any, began: Path) -> None:
    while not list(began.iterdir()):
        time.sleep(0.05)
    nodes.remove_node(node, allow_graceful=False)


def saying_so(began: Path, node_id: str) -> Any:
    """The member's work, which first says on how large a team it is, and whether it is the doomed node's."""

    def member_with_words(told: Any) -> None:
        import ray
        from torch import distributed

        is_doomed = ray.get_runtime_context().get_node_id() == node_id
        (began / f"{'doomed' if is_doomed else 'safe'}, of {distributed.get_world_size()}").touch()
        train_member(told)

    return member_with_words


def on(nodes: Cluster, night: Night) -> Night:
    return night.model_copy(update={"engine": "ray", "engine_address": nodes.address})


def test_features_survive_a_node_that_is_killed(
    nodes: Cluster,
    doomed: list[str],
    shop_con: duckdb.DuckDBPyConnection,
    shop_night: Night,
) -> None:
    build_features(shop_con, shop_night)
    whole = tables(shop_con, "features", "samples")
    build_features(shop_con, on(nodes, shop_night))
    assert tables(shop_con, "features", "samples") == whole
    assert list((shop_night.home / "began").iterdir()), "nothing was at work on the node that died"
    assert not (shop_night.home / "shards").exists()


def test_scores_survive_a_node_that_is_killed(
    nodes: Cluster, doomed: list[str], trained: tuple[duckdb.DuckDBPyConnection, Night], tmp_path: Path
) -> None:
    con, night = trained
    local = {table: con.sql(f"from predicted.{table}").pl() for table in predicted(con)}
    few = night.model.model_copy(update={"most_rows": len(local["recommendation"]) // 3})
    report = predict_heads(con, on(nodes, night).model_copy(update={"model": few}))
    assert isinstance(report, PredictionReport)
    assert report.rows == {table: len(rows) for table, rows in local.items()}
    assert predicted(con) == sorted(local)
    for table, rows in local.items():
        found = con.sql(f"from predicted.{table}").pl()
        assert found.schema == rows.schema
        assert_frame_equal(sort(found), sort(rows), rel_tol=1e-5, abs_tol=1e-6)
    assert list((tmp_path / "began").iterdir()), "nothing was at work on the node that died"


def test_training_goes_on_with_those_that_are_left_when_a_node_is_killed(
    nodes: Cluster, shop_con: duckdb.DuckDBPyConnection, shop_night: Night, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = add_node(nodes)
    nodes.wait_for_nodes()
    began = shop_night.home / "began"
    began.mkdir()
    monkeypatch.setattr(ray_training, "train_member", saying_so(began, node.node_id))
    # Ray Train waits a minute for a node that it does not know to be dead yet, asks every two seconds how members do,
    # and starts for seconds what would tell of nodes that a cloud takes back.
    monkeypatch.setenv("RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S", "5")
    monkeypatch.setenv("RAY_TRAIN_HEALTH_CHECK_INTERVAL_S", "0.5")
    monkeypatch.setenv("RAY_TRAIN_ENABLE_PREEMPTION_WATCHER", "0")
    alone, team = new_course(epochs=PASSES), new_course(epochs=PASSES)
    passes = []
    with engine_of(on(nodes, shop_night)) as engine:
        for epoch in engine.train(shop_con, team):
            if not passes:
                nodes.remove_node(node, allow_graceful=False)
            passes.append(epoch)
    last = list(alone.learn())[-1]
    assert {path.name for path in began.iterdir()} == {"safe, of 2", "doomed, of 2", "safe, of 1"}
    assert [epoch.number for epoch in passes] == list(range(1, PASSES + 1))
    assert passes[-1].rows == last.rows
    assert passes[-1].validation_loss == pytest.approx(last.validation_loss, abs=0.05)
    assert not (shop_night.home / "shards").exists()


def test_the_doctor_shows_the_nodes(nodes: Cluster) -> None:
    found = look_at_engine(Settings(engine="ray", engine_address=nodes.address))
    assert found.verdict in ("PASS", "WARN") and f"ray at {nodes.address}, " in found.seen and " 1 CPU " in found.seen


def test_leaving_a_cluster_that_was_joined_leaves_it_alive(nodes: Cluster, shop_night: Night) -> None:
    shut_down(on(nodes, shop_night))
    cluster.join(nodes.address)
    assert any(node.is_alive for node in cluster.nodes())


def predicted(con: duckdb.DuckDBPyConnection) -> list[str]:
    query = "select table_name from duckdb_tables() where schema_name = 'predicted' order by all"
    return [name for (name,) in con.execute(query).fetchall()]


def sort(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.sort([name for name, kind in frame.schema.items() if kind in (pl.String, pl.Date, pl.Int64, pl.Int32)])
