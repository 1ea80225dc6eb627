"""Gradient methods: weights for the losses from the gradients of the tasks where they share, as TorchJD finds them."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torchjd.aggregation import MGDA, AlignedMTL, CAGrad, NashMTL, PCGrad, UPGrad
from torchjd.linalg import QuadprogProjector

from mtl_models.balancing.base import Balancing, Losses, OwnParameters
from mtl_models.balancing.jacobian import task_gradients
from mtl_models.config import NetworkConfig

# A task whose gradient is shorter than this share of the longest says nothing about the shared part, as before a
# head's first step: a head starts with zeros between the loss and the features.
SILENT = 1e-6

# [tasks, shared parameters] gradients to [tasks] weights.
Weighting = Callable[[Tensor], Tensor]


@dataclass(frozen=True, kw_only=True)
class GradientMethod:
    """`make` takes the number of tasks. `is_of_mean`: without conflict its weights are those of the mean, not of the
    sum. `undoes_scale`: a longer gradient gets a smaller weight, so business weights can only act on the result."""

    make: Callable[[int], Weighting]
    is_of_mean: bool = True
    undoes_scale: bool = False


def _upgrad(tasks: int) -> Weighting:
    """UPGrad on gradients of length 1, with their lengths as preferences. It projects onto the same cone, so it is the
    same method; but the solver's tolerance would else let tasks with short gradients be hurt."""
    aggregator = UPGrad(projector=QuadprogProjector(reg_eps=1e-8))

    def weigh(rows: Tensor) -> Tensor:
        lengths = rows.norm(dim=1)
        aggregator.pref_vector = lengths
        return aggregator.weighting(rows / lengths[:, None]) / lengths

    return weigh


METHODS: dict[str, GradientMethod] = {
    # Yu et al. 2020, "Gradient Surgery for Multi-Task Learning".
    "pcgrad": GradientMethod(make=lambda tasks: PCGrad().weighting, is_of_mean=False),
    # Liu et al. 2021, "Conflict-Averse Gradient Descent for Multi-task Learning"; c = 0.4 is theirs.
    "cagrad": GradientMethod(make=lambda tasks: CAGrad(c=0.4).weighting),
    # Sener and Koltun 2018, "Multi-Task Learning as Multi-Objective Optimization".
    "mgda": GradientMethod(make=lambda tasks: MGDA().weighting, undoes_scale=True),
    # Navon et al. 2022, "Multi-Task Learning as a Bargaining Game"; the norm is left to the clipping of the training.
    "nashmtl": GradientMethod(
        make=lambda tasks: NashMTL(tasks, max_norm=0.0).weighting, is_of_mean=False, undoes_scale=True
    ),
    # Senushkin et al. 2023, "Independent Component Alignment for Multi-Task Learning".
    "alignedmtl": GradientMethod(make=lambda tasks: AlignedMTL().weighting, undoes_scale=True),
    # Quinton and Rey 2024, "Jacobian Descent for Multi-Objective Optimization".
    "upgrad": GradientMethod(make=_upgrad, is_of_mean=False),
}


class GradientBalancing(Balancing):
    """The weights of a gradient method steer what tasks share; the parameters that serve one task follow its own loss,
    as in the papers."""

    def __init__(self, tasks: tuple[str, ...], weights: Mapping[str, float], config: NetworkConfig) -> None:
        super().__init__(tasks, weights, config)
        self.method = METHODS[config.balancing]
        most = max(len(self.tasks), 1)
        try:
            self.weightings = {most: self.method.make(most)}
        except ImportError as error:
            raise ImportError(
                f'balancing = "{config.balancing}" needs solvers that are not installed. Remedy: the extra "gradients" '
                '(pip install -e ".[gradients]" -c constraints.txt), or balancing = "upgrad".'
            ) from error

    def total(self, losses: Losses, shared: Sequence[nn.Parameter], own: OwnParameters | None = None) -> Tensor:
        """The scalar to call backward on: sum_j w_j L_j, with a term of value zero that brings the gradient of a task's
        own parameters back to lambda_j."""
        jacobian, own_gradients = task_gradients(losses, shared, own)
        worth = self.worth_of(losses)
        # Some methods draw the order in which they look at tasks.
        weights = self.team.of_first(self.weigh(self.team.mean(jacobian), worth))
        total = (weights * torch.stack(list(losses.values()))).sum()
        for task, missing in zip(losses, worth - weights, strict=True):
            if own_gradients[task]:
                total = total + missing * _with_gradient((own or {})[task], own_gradients[task])
        return total

    def weigh(self, jacobian: Tensor, worth: Tensor) -> Tensor:
        """[tasks] what each loss is multiplied with, from the gradients [tasks, shared parameters] and the business
        weights [tasks]."""
        # The Gramian of nearly parallel gradients needs double precision, its solvers the CPU; some are not free of
        # the gradients' scale, so that is taken out.
        rows, factors = jacobian.detach().cpu().double(), torch.ones(len(jacobian), dtype=torch.float64)
        lengths = rows.norm(dim=1)
        is_heard = lengths > SILENT * lengths.max()
        if is_heard.sum() > 1:
            rows = rows[is_heard]
            if not self.method.undoes_scale:
                rows = rows * worth.cpu().double()[is_heard, None]
            with warnings.catch_warnings():  # Nash-MTL's problem is compiled anew each time; cvxpy says so each time
                warnings.filterwarnings("ignore", "You are solving a parameterized problem that is not DPP")
                found = self._weighting(len(rows))(rows / rows.norm())
            factors[is_heard] = found * len(rows) if self.method.is_of_mean else found
        return worth * factors.to(worth)

    def _weighting(self, tasks: int) -> Weighting:
        if tasks not in self.weightings:
            self.weightings[tasks] = self.method.make(tasks)
        return self.weightings[tasks]


def _with_gradient(parameters: Sequence[nn.Parameter], gradients: Sequence[Tensor]) -> Tensor:
    """A zero whose gradient at the parameters is the one given."""
    flat = torch.cat([parameter.flatten() for parameter in parameters])
    return torch.dot(flat - flat.detach(), torch.cat([gradient.flatten() for gradient in gradients]))
