"""What every way of sharing promises."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor, nn

from mtl_models.config import NetworkConfig


class Sharing(nn.Module):
    """From encoded rows to each task's features.

    `tasks` says which table's rows each task reads; several may read one. `width` is the width of the features.
    `shares_encoders`: whether all tasks' rows come from the same encoders. `task_axes`: the parameters (and modules of
    them) with an axis of tasks, which mean nothing to a model of other tasks. `expert_names`: what `gates` choose from.
    """

    width: int
    shares_encoders: ClassVar[bool] = True
    task_axes: ClassVar[tuple[str, ...]] = ()
    expert_names: tuple[str, ...] = ()

    def __init__(self, input_width: int, tasks: Mapping[str, str], config: NetworkConfig) -> None:
        super().__init__()
        self.tasks = dict(tasks)

    def forward(self, rows: Mapping[str, Tensor]) -> dict[str, Tensor]:
        """{table: [n, input_width]}, for any of the tables, to {task: [n, width]} for the tasks that read them."""
        raise NotImplementedError

    def shared_parameters(self) -> list[nn.Parameter]:
        """The weights of the last layer that every task trains, where their gradients are compared; empty when
        nothing is shared."""
        raise NotImplementedError

    def penalty(self) -> Tensor:
        """Omega(theta), a scalar to be added to the loss of the latest forward pass; 0 where a family has none."""
        return next(self.parameters()).new_zeros(())

    def gates(self) -> dict[str, Tensor]:
        """{task: [experts]} mean shares of the experts in the task's latest rows; empty where a family has none."""
        return {}

    def correlations(self) -> dict[tuple[str, str], float]:
        """{(task, other task): learned correlation}; empty where a family learns none."""
        return {}

    def tasks_of(self, rows: Mapping[str, Tensor]) -> dict[str, str]:
        """{task: table} of the tasks that read the tables given."""
        return {task: table for task, table in self.tasks.items() if table in rows}
