"""Who trains together: one process, or several that each see a share of the rows and all hold the same weights.

Each member computes the gradient of its own part of a batch; the mean of these gradients is that of the whole batch
where every part has as many rows with a label, as data-parallel training always takes it to be. Whatever decides over
weights (losses that are finite or not, what a balancing compares, the validation loss) is made the same for all first,
so that no member ever steps, skips or stops alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from mtl_models.samples import TaskSamples, combine, concatenate


class Team:
    """A lone member: what it has is what all have, and nothing is sent."""

    rank, world = 0, 1

    def average_gradients(self, parameters: Sequence[Tensor], big_tables: Sequence[Tensor]) -> None:
        """Put the mean of the members' gradients in place of one's own; those of big tables are sparse."""

    def mean(self, values: Tensor) -> Tensor:
        """The mean of the members' tensors, which are of one shape."""
        return values

    def all(self, flags: Tensor) -> Tensor:
        """True where it is true for every member."""
        return flags

    def of_first(self, values: Tensor) -> Tensor:
        """Those of the first member, for all."""
        return values

    def total(self, counts: Mapping[str, int]) -> dict[str, int]:
        """The sums of the members' counts, which have the same names."""
        return dict(counts)

    def average(self, values: Mapping[str, float]) -> dict[str, float]:
        """The means of the members' numbers, which have the same names."""
        return dict(values)

    def share(self, names: Sequence[str]) -> Sequence[str]:
        """Those that are this member's to do."""
        return names

    def join(self, values: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
        """What the members found, each of its `share` of the names; a name of which nobody found anything is left
        out."""
        return dict(values)

    def gather(self, rows: TaskSamples) -> TaskSamples:
        """The rows of all members, in their order."""
        return rows


ALONE = Team()


class ProcessTeam(Team):
    """The members of torch's process group, which has been started: gloo between processors, NCCL between GPUs."""

    def __init__(self, device: torch.device) -> None:
        self.rank, self.world, self.device = dist.get_rank(), dist.get_world_size(), device

    @torch.no_grad()
    def average_gradients(self, parameters: Sequence[Tensor], big_tables: Sequence[Tensor]) -> None:
        """All in one message, for many small ones take longer; and one for each big table, of the rows seen. A
        parameter that nobody's rows reached keeps no gradient, so that it does not decay either."""
        gradients = [parameter.grad for parameter in parameters]
        parts = [
            (torch.zeros_like(parameter) if gradient is None else gradient).flatten()
            for parameter, gradient in zip(parameters, gradients, strict=True)
        ]
        is_reached = parts[0].new_tensor([float(gradient is not None) for gradient in gradients])
        message = torch.cat([*parts, is_reached])
        dist.all_reduce(message)
        *parts, is_reached = (message / self.world).split([*(len(part) for part in parts), len(gradients)])
        for parameter, part, reached in zip(parameters, parts, is_reached.tolist(), strict=True):
            parameter.grad = part.view_as(parameter) if reached else None
        for table in big_tables:
            self._average_rows(table)

    def _average_rows(self, table: Tensor) -> None:
        if table.grad is None:
            ids, values = torch.empty(0, dtype=torch.int64, device=table.device), table.new_empty(0, table.shape[1])
        else:
            gradient = table.grad.coalesce()
            ids, values = gradient.indices()[0], gradient.values()
        ids, values = self._concatenated(ids), self._concatenated(values)
        table.grad = torch.sparse_coo_tensor(ids[None], values / self.world, table.shape, check_invariants=False)

    def mean(self, values: Tensor) -> Tensor:
        """As `Team.mean`."""
        return self._sum(values) / self.world

    def all(self, flags: Tensor) -> Tensor:
        """As `Team.all`."""
        return self._sum(flags.to(torch.int64)) == self.world

    def of_first(self, values: Tensor) -> Tensor:
        """As `Team.of_first`."""
        sent = values.detach().to(self.device, copy=True).contiguous()
        dist.broadcast(sent, src=0)
        return sent.to(values.device)

    def total(self, counts: Mapping[str, int]) -> dict[str, int]:
        """As `Team.total`."""
        summed = self._sum(torch.tensor(list(counts.values()), dtype=torch.int64))
        return dict(zip(counts, summed.tolist(), strict=True))

    def average(self, values: Mapping[str, float]) -> dict[str, float]:
        """As `Team.average`."""
        averaged = self.mean(torch.tensor(list(values.values()), dtype=torch.float64))
        return dict(zip(values, averaged.tolist(), strict=True))

    def share(self, names: Sequence[str]) -> Sequence[str]:
        """As `Team.share`."""
        return names[self.rank :: self.world]

    def join(self, values: Mapping[str, float], names: Sequence[str]) -> dict[str, float]:
        """As `Team.join`."""
        found = torch.tensor([[values.get(name, 0.0), name in values] for name in names], dtype=torch.float64)
        joined = self._sum(found.reshape(-1, 2)).tolist()
        return {name: value for name, (value, is_found) in zip(names, joined, strict=True) if is_found}

    def gather(self, rows: TaskSamples) -> TaskSamples:
        """As `Team.gather`; lists of different members stay apart."""
        counts = self._counts(len(rows))
        gathered = combine([rows], lambda tensors: self._concatenated(tensors[0], counts))
        starts = torch.tensor(counts).cumsum(0).tolist()
        return concatenate(
            [gathered.take(slice(end - count, end)) for end, count in zip(starts, counts, strict=True) if count]
            or [gathered]
        )

    def _sum(self, values: Tensor) -> Tensor:
        sent = values.detach().to(self.device, copy=True).contiguous()
        dist.all_reduce(sent)
        return sent.to(values.device)

    def _counts(self, count: int) -> list[int]:
        """Every member's."""
        counts = torch.zeros(self.world, dtype=torch.int64)
        counts[self.rank] = count
        return [int(number) for number in self._sum(counts).tolist()]

    def _concatenated(self, tensor: Tensor, counts: Sequence[int] | None = None) -> Tensor:
        """The members' tensors, one after the other. Each is sent as long as the longest, for messages have one
        length."""
        counts = self._counts(len(tensor)) if counts is None else counts
        padded = tensor.new_zeros((max(counts), *tensor.shape[1:]), device=self.device)
        padded[: len(tensor)] = tensor
        received = [torch.empty_like(padded) for _ in counts]
        if padded.numel():
            dist.all_gather(received, padded)
        return torch.cat([part[:count] for part, count in zip(received, counts, strict=True)]).to(tensor.device)


def team_of(device: torch.device) -> Team:
    """The team of this process, whatever started it: torchrun, Ray, or nobody."""
    is_joined = dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1
    return ProcessTeam(device) if is_joined else ALONE


def start_process_group(**options: Any) -> None:
    """Join the process group that torchrun's variables name."""
    dist.init_process_group("nccl" if torch.cuda.is_available() else "gloo", **options)
