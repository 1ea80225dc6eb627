"""Training by a team of Ray workers: Ray Train starts them and their process group, and when one is lost starts over
with those that are left, from the latest milestone."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any

import duckdb

from mtl_models.milestones import Epoch, Milestones
from tasks.engine.cluster import RETRIES, Node, given_up
from tasks.engine.course import MILESTONES, Course, export_course, take_outcome
from tasks.engine.member import train_share
from tasks.night import Night

# How often the passes are looked for that the team has ended.
_LOOK_S = 1.0


@dataclass(frozen=True, kw_only=True)
class TeamSize:
    """How many members there are at most, and what each of them has to itself."""

    members: int
    cpus: int
    has_gpu: bool

    @classmethod
    def of(cls, nodes: Sequence[Node], *, may_use_gpus: bool) -> TeamSize:
        """A member for each GPU; where there are none, one for each machine, or more on those that are larger: threads
        of one process share weights, so that fewer members have fewer gradients to send."""
        alive = [node for node in nodes if node.is_alive and node.cpus]
        if may_use_gpus and (gpus := sum(node.gpus for node in alive)):
            return cls(members=gpus, cpus=1, has_gpu=True)
        cpus = min((node.cpus for node in alive), default=1)
        return cls(members=sum(node.cpus // cpus for node in alive), cpus=cpus, has_gpu=False)


def train_by_team(
    con: duckdb.DuckDBPyConnection, course: Course, night: Night, folder: Path, size: TeamSize
) -> Iterator[Epoch]:
    """Train the model of the course in place, yielding each pass soon after it has ended; `con` only writes the files.

    Raises ClusterError when members were lost again and again, or one of them failed as often.
    """
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer

    export_course(con, course, night, folder, size.members)
    trainer = TorchTrainer(
        train_member,
        train_loop_config={"folder": str(folder)},
        scaling_config=ScalingConfig(
            num_workers=(1, size.members), use_gpu=size.has_gpu, resources_per_worker=_resources(size)
        ),
        run_config=RunConfig(name="team", storage_path=str(folder), failure_config=FailureConfig(max_failures=RETRIES)),
    )
    seen = 0
    for _ in _until_done(trainer):
        latest = Milestones(folder / MILESTONES, writes=False).latest()
        passes = latest.epochs if latest else ()
        yield from passes[seen:]
        seen = max(seen, len(passes))
    yield from take_outcome(folder, course)[seen:]


def train_member(told: dict[str, Any]) -> None:
    """What each worker does."""
    from ray.train.torch import get_device

    train_share(Path(told["folder"]), get_device())


def _resources(size: TeamSize) -> dict[str, float]:
    return {"CPU": size.cpus, **({"GPU": 1} if size.has_gpu else {})}


def _until_done(trainer: Any) -> Iterator[None]:
    """Now and again while the team trains; raises what it failed with. It has a thread of its own, which no night waits
    for: whoever leaves the cluster ends the team."""
    ended: SimpleQueue[Exception | None] = SimpleQueue()

    def fit() -> None:
        try:
            trainer.fit()
        except Exception as error:
            ended.put(error)
        else:
            ended.put(None)

    threading.Thread(target=fit, name="training team", daemon=True).start()
    while True:
        try:
            error = ended.get(timeout=_LOOK_S)
        except Empty:
            yield
            continue
        if error is None:
            return
        raise given_up("the training team of the Ray cluster failed", error) from error
