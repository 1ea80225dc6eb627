"""One member of a team that trains a course, whatever started it.

Under torchrun, on each machine:

    python -m torch.distributed.run --standalone --nproc-per-node 2 -m tasks.engine.member FOLDER
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
import torch.distributed as dist

from mtl_models.milestones import Milestones
from mtl_models.team import start_process_group, team_of
from tasks.engine.course import MILESTONES, read_course, write_outcome


def train_share(folder: Path, device: torch.device) -> None:
    """Train the course of that folder with the others of the process group, if any; from the latest milestone on. The
    first member writes what was learned."""
    team = team_of(device)
    course = read_course(folder, team.rank, team.world, device)
    milestones = Milestones(folder / MILESTONES, writes=team.rank == 0)
    passes = list(course.learn(team, milestones))
    if team.rank == 0:
        write_outcome(folder, course, passes)


def main(folder: str) -> None:
    """Join torchrun's process group, train, leave it; a GPU for each process where there are any."""
    start_process_group()
    device = torch.device("cpu")
    if torch.cuda.is_available():
        device = torch.device("cuda", dist.get_node_local_rank())
        torch.cuda.set_device(device)
    train_share(Path(folder), device)
    dist.destroy_process_group()


if __name__ == "__main__":
    main(sys.argv[1])
