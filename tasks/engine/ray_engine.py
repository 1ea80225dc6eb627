"""The engine `ray`: heavy SQL and scoring in parts on a cluster, the warehouse with its one writer here."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import duckdb
import polars as pl

from mtl_models.milestones import Epoch
from tasks.engine import Part, Variables, cluster
from tasks.engine.course import Course
from tasks.engine.jobs import BuildJob, Input, Made, PredictJob, build_part, predict_shard
from tasks.engine.ray_training import TeamSize, train_by_team
from tasks.night import Night
from tasks.progress import report
from tasks.read_samples import ENTITIES
from tasks.row_limits import parts
from tasks.serving import Served
from warehouse import build
from warehouse.connect import share_of_memory
from warehouse.partitions import PARTITIONED, Division, Partitioned, Stretch, divide
from warehouse.shards import FOLDER, ShardSet, export_set, part, publish_set, set_folder

# Fewer are not worth a job of their own.
_FEWEST_ROWS = 20_000


class RayEngine:
    """Exports sets of shards, has workers read them and write others, and loads those."""

    def __init__(self, night: Night) -> None:
        self.night = night
        report("joining the Ray cluster")
        cluster.join(night.engine_address, night.threads)
        nodes = cluster.nodes()
        alive = [node.cpus for node in nodes if node.is_alive]
        self.workers = max(sum(alive), 1)
        self.team = TeamSize.of(nodes, may_use_gpus=night.model.device != "cpu")
        self.memory_limit = share_of_memory(night.memory_limit, max(alive))
        self._exported: dict[tuple[str, int], ShardSet] = {}

    def close(self) -> None:
        """Remove every shard: what they held is in the warehouse."""
        shutil.rmtree(self.night.home / FOLDER, ignore_errors=True)

    def run_files(
        self,
        con: duckdb.DuckDBPyConnection,
        files: Iterable[str],
        variables: Variables,
        on_file: Callable[[str], None],
    ) -> dict[str, float]:
        """As `Engine.run_files`: those of `PARTITIONED` on the cluster, the others here."""
        seconds: dict[str, float] = {}
        for file in files:
            if file not in PARTITIONED:
                seconds |= build.run_files(con, (file,), on_file)
                continue
            on_file(file)
            started = time.perf_counter()
            self._build(con, file, PARTITIONED[file], variables)
            seconds[file] = time.perf_counter() - started
        return seconds

    def _build(self, con: duckdb.DuckDBPyConnection, file: str, plan: Partitioned, variables: Variables) -> None:
        """Make the file's table of its parts."""
        division = divide(con, plan, self.workers)
        if not division.stretches:
            build.run_files(con, (file,), lambda file: None)  # an empty table, with its columns
            return
        sets = {table: self._export_table(con, table, division) for table in plan.reads}
        folder = self._folder(f"{plan.makes}.made")
        jobs = [
            BuildJob(
                file=file,
                makes=plan.makes,
                variables=variables,
                inputs=tuple(_input(table, found, stretch) for table, found in sets.items()),
                target=folder / part(number),
                memory_limit=self.memory_limit,
            )
            for number, stretch in enumerate(division.stretches)
        ]
        made = _as_set(folder, list(cluster.run_all(build_part, jobs)), file)
        kind = "temp table" if plan.is_temporary else "table"
        con.execute(f"create or replace {kind} {plan.makes} as {made.select()}")

    def _export_table(self, con: duckdb.DuckDBPyConnection, table: str, division: Division) -> ShardSet:
        """The table as a set, divided by users where it knows them; each table is made by one file of the build, so a
        set is good for all that come after."""
        has_users = "user_index" in con.sql(f"from {table} limit 0").columns
        users = division.users if has_users else ("true",)
        key = table, len(users)
        if key not in self._exported:
            folder = self._folder(f"{table}.{len(users)}")
            self._exported[key] = export_set(con, f"select * from {table}", folder, self.night.run_id, users)
        return self._exported[key]

    def parts(self, table: str, rows: int) -> list[Part]:
        """Two for each worker, or as many as memory wants."""
        most = min(self.night.model.most_rows, max(-(-rows // (2 * self.workers)), _FEWEST_ROWS))
        return [Part(table, predicate) for predicate in parts(table, rows, most)]

    def predict(
        self, con: duckdb.DuckDBPyConnection, served: Sequence[Served], parts: Sequence[Part]
    ) -> Iterator[tuple[str, pl.DataFrame]]:
        """As `Engine.predict`, all parts at once."""
        shared = tuple(self._whole(con, name, query) for name, query in _entities(con, parts).items())
        jobs = [
            PredictJob(
                table=wanted.table,
                served=tuple(served),
                inputs=(*shared, samples),
                target=self._folder(f"predicted.{wanted.table}") / part(number),
                memory_limit=self.memory_limit,
            )
            for number, (wanted, samples) in enumerate(zip(parts, self._samples(con, parts), strict=True))
        ]
        made = []
        for done, answer in enumerate(cluster.run_all(predict_shard, jobs)):
            report(f"predicted {jobs[done].table}", (done + 1) / len(jobs))
            made.append(answer)
        for table in dict.fromkeys(job.table for job in jobs):
            whole = [answer for job, answer in zip(jobs, made, strict=True) if job.table == table and answer.shard]
            if whole:
                found = _as_set(self._folder(f"predicted.{table}"), whole, "predict_heads")
                for shard in found.shards:
                    yield table, con.sql(found.select([shard])).pl()

    def train(self, con: duckdb.DuckDBPyConnection, course: Course) -> Iterator[Epoch]:
        """As `Engine.train`, by a team; in the night's process where that would have one member, on this machine."""
        if self.team.members < 2 and self.night.engine_address == cluster.STARTED_HERE:
            return course.learn()
        return train_by_team(con, course, self.night, self._folder("training"), self.team)

    def _samples(self, con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> list[Input]:
        """A shard of the rows to serve for each part."""
        found = []
        for table in dict.fromkeys(wanted.table for wanted in parts):
            name = f"samples.{table}"
            predicates = [wanted.predicate for wanted in parts if wanted.table == table]
            query = f"select * from {name} where fold = 'serve'"
            exported = export_set(con, query, self._folder(name), self.night.run_id, predicates)
            found += [Input(table=name, source=exported, shards=(shard,)) for shard in exported.shards]
        return found

    def _whole(self, con: duckdb.DuckDBPyConnection, table: str, query: str) -> Input:
        exported = export_set(con, query, self._folder(table), self.night.run_id)
        return Input(table=table, source=exported, shards=exported.shards)

    def _folder(self, name: str) -> Path:
        return set_folder(self.night.home, name, self.night.run_id)


def _input(table: str, exported: ShardSet, stretch: Stretch) -> Input:
    """What one part reads of a table."""
    shards = exported.shards[stretch.users : stretch.users + 1] if len(exported.shards) > 1 else exported.shards
    return Input(table=table, source=exported, shards=shards, where=stretch.predicate(exported.columns))


def _as_set(folder: Path, made: Sequence[Made], file: str) -> ShardSet:
    """What all parts made, as one set."""
    shards = [part.shard for part in made if part.shard is not None]
    return publish_set(folder, shards, made[0].columns, file)


def _entities(con: duckdb.DuckDBPyConnection, parts: Sequence[Part]) -> dict[str, str]:
    """{table: query} of what `read_frames` reads beside samples: the entities that these name, and the categories."""
    tables = {part.table: con.sql(f"from samples.{part.table} limit 0").columns for part in parts}
    queries = {"features.categories": "select * from features.categories"}
    for entity in ENTITIES.values():
        key = ", ".join(entity.key)
        named = " union ".join(
            f"select {key} from samples.{table} where fold = 'serve'"
            for table, columns in tables.items()
            if set(entity.key) <= set(columns)
        )
        name = f"features.{entity.table}"
        queries[name] = f"select * from {name} semi join ({named}) using ({key})" if named else f"from {name} limit 0"
    return queries
