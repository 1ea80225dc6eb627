"""What each of two processes under torchrun does for test_team, in the folder of a course."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import torch
import torch.distributed as dist

from mtl_models.milestones import Milestones
from mtl_models.relative_losses import relative_losses
from mtl_models.samples import TaskSamples, combine
from mtl_models.team import ProcessTeam, Team, start_process_group
from tasks.engine.course import MILESTONES, Course, read_course, write_outcome

CPU = torch.device("cpu")


def main(folder: Path) -> None:
    start_process_group()
    team = ProcessTeam(CPU)
    said = {
        "largest_difference": compare_first_step(team, read_course(folder, team.rank, team.world, CPU)),
        "sparse_difference": compare_sparse(team),
    }
    course = read_course(folder, team.rank, team.world, CPU)
    passes = list(course.learn(team, Milestones(folder / MILESTONES, writes=team.rank == 0)))
    weights = b"".join(tensor.contiguous().numpy().tobytes() for tensor in course.model.state_dict().values())
    said |= {
        "weights": hashlib.sha256(weights).hexdigest(),
        "validation_losses": [epoch.validation_losses for epoch in passes],
        "left_out": [epoch.left_out for epoch in passes],
    }
    if team.rank == 0:
        write_outcome(folder, course, passes)
    (folder / f"member-{team.rank}.json").write_text(json.dumps(said))
    dist.destroy_process_group()


def compare_first_step(team: Team, course: Course) -> float:
    """How far the mean of the members' gradients is from the gradient of all their rows. As many rows of each have a
    label: the second member has its own features with the first one's labels."""
    model, trained = course.model.eval(), list(course.model.parameters())
    rows = {table: with_labels_of_first(team, part) for table, part in course.train.items()}

    def backward(batch: dict[str, TaskSamples]) -> list[torch.Tensor]:
        model.zero_grad()
        losses = relative_losses(model.losses(model(course.entities, batch), batch), course.scales)
        torch.stack(list(losses.values())).sum().backward()
        return trained

    whole = {table: team.gather(part) for table, part in rows.items()}
    wanted = [None if parameter.grad is None else parameter.grad.clone() for parameter in backward(whole)]
    backward(rows)
    team.average_gradients(trained, [])
    pairs = [(parameter.grad, grad) for parameter, grad in zip(trained, wanted, strict=True) if grad is not None]
    assert all(parameter.grad is None for parameter, grad in zip(trained, wanted, strict=True) if grad is None)
    return max(float((found - grad).abs().max()) for found, grad in pairs)


def with_labels_of_first(team: Team, rows: TaskSamples) -> TaskSamples:
    firsts = combine([rows], lambda tensors: team.of_first(tensors[0]))
    return replace(firsts, slots=rows.slots, context=rows.context)


def compare_sparse(team: Team) -> float:
    """The same for a table of ids of which each member saw other rows, some of them twice."""
    table = torch.nn.Embedding(10, 2, sparse=True)
    torch.nn.init.ones_(table.weight)
    ids = [torch.tensor([1, 3, 3]), torch.tensor([3, 7, 8])]
    table(torch.cat(ids)).square().sum().backward()
    wanted = table.weight.grad.to_dense() / 2
    table.weight.grad = None
    table(ids[team.rank]).square().sum().backward()
    team.average_gradients([torch.nn.Parameter(torch.ones(1))], [table.weight])
    return float((table.weight.grad.to_dense() - wanted).abs().max())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
