"""Training on a Ray cluster: one worker for each machine, or for each GPU, as many as are there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tasks.engine import cluster

# Lost machines after which training is given up.
_LOSSES = 5


def train_team(folder: Path, nodes: list[cluster.Node]) -> None:
    """Train the course of that folder, which all nodes can read. Where a machine is lost, those that are left go on at
    the latest milestone. Raises ClusterError when too many were lost."""
    from ray.train import FailureConfig, RunConfig, ScalingConfig
    from ray.train.torch import TorchTrainer
    from ray.train.v2.api.exceptions import TrainingFailedError

    trainer = TorchTrainer(
        _member,
        train_loop_config={"folder": str(folder)},
        # A fixed number of workers waits for the lost one to come back.
        scaling_config=ScalingConfig(
            num_workers=(1, len(nodes)), resources_per_worker={"CPU": min(node.cpus for node in nodes)}
        ),
        run_config=RunConfig(
            name="course", storage_path=str(folder / "ray"), failure_config=FailureConfig(max_failures=_LOSSES)
        ),
    )
    try:
        trainer.fit()
    except TrainingFailedError as error:
        raise cluster.ClusterError(
            f"training on the Ray cluster failed: {str(error).strip().splitlines()[0]} "
            'Remedy: fivefold doctor shows its nodes; start them again, or set engine = "local".'
        ) from error


def _member(given: dict[str, Any]) -> None:
    """What each worker runs, in the process group that Ray Train has started."""
    from ray.train.torch import get_device

    from tasks.engine.member import train_share

    train_share(Path(given["folder"]), get_device())
