"""What every way of balancing promises."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from mtl_models.config import NetworkConfig
from mtl_models.team import ALONE, Team

Losses = Mapping[str, Tensor]
OwnParameters = Mapping[str, Sequence[nn.Parameter]]


class Balancing(nn.Module):
    """From the losses of the tasks to the one number whose gradient is followed.

    `weights` is what each task is worth to the business; it multiplies whatever a method finds, and a task of weight 0
    is not learned. `team`: those who train together compare the mean of their losses or gradients, so that each finds
    the same weights.
    """

    worth: Tensor
    team: Team = ALONE

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__()
        self.tasks = tuple(task for task in tasks if weights[task] > 0)
        self.left_out: Counter[str] = Counter()
        self.register_buffer("worth", torch.tensor([float(weights[task]) for task in self.tasks]))

    def usable(self, losses: Losses) -> dict[str, Tensor]:
        """The losses to learn from: those of tasks with a weight, if finite. One that is not would make every
        parameter NaN; it is counted and left out, by all of a team."""
        weighted = {task: losses[task] for task in self.tasks if task in losses}
        is_finite = self.team.all(torch.stack(list(weighted.values())).isfinite()).tolist() if weighted else []
        self.left_out.update(task for task, is_fine in zip(weighted, is_finite, strict=True) if not is_fine)
        return {task: loss for (task, loss), is_fine in zip(weighted.items(), is_finite, strict=True) if is_fine}

    def take_left_out(self) -> dict[str, int]:
        """{task: steps without it since this was last asked}."""
        taken, self.left_out = dict(self.left_out), Counter()
        return taken

    def total(self, losses: Losses, shared: Sequence[nn.Parameter], own: OwnParameters | None = None) -> Tensor:
        """The scalar to call backward on, from losses that are `usable`.

        `shared` is where gradient methods compare the tasks (`Sharing.shared_parameters`), `own` the parameters that
        serve one task only, which those methods leave to the task's own loss.
        """
        raise NotImplementedError

    def end_epoch(self, losses: Mapping[str, float]) -> None:
        """Look back on a pass: the mean loss of each task."""

    def positions(self, losses: Losses) -> list[int]:
        """Where the tasks of this step are among all."""
        return [self.tasks.index(task) for task in losses]

    def worth_of(self, losses: Losses) -> Tensor:
        """[tasks of this step] the business weights."""
        return self.worth[self.positions(losses)]


class LossWeights(Balancing):
    """The methods that multiply each loss with a factor, for the shared part and the heads alike."""

    def total(self, losses: Losses, shared: Sequence[nn.Parameter], own: OwnParameters | None = None) -> Tensor:
        """The scalar to call backward on: sum_j lambda_j factor_j L_j."""
        return (self.worth_of(losses) * self.factors(losses, shared) * torch.stack(list(losses.values()))).sum()

    def factors(self, losses: Losses, shared: Sequence[nn.Parameter]) -> Tensor:
        """[tasks of this step] what each loss is multiplied with."""
        raise NotImplementedError
