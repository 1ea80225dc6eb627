"""The network of a user's own tasks, top to bottom.

    words ───> embeddings ─┐
    numbers ─> piecewise  ─┼─> x [n, width] ──> a scale per member ──> sharing ──> a tower per task
    numbers, scaled ───────┘

An ensemble with little more than one network's parameters: `members` copies of each row differ by a learned scale of
their inputs and by their last layer, and share all between (TabM-mini: Gorishniy, Kotelnikov and Babenko 2024). Each
member learns for itself, their predictions are averaged. As the copies are rows like any other, every way of sharing
serves them unchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtl_models.losses import known, masked_mean
from mtl_models.sharing import build_sharing
from mtl_models.sharing.layers import filling
from mtl_models.tabular.config import TabularConfig
from mtl_models.tabular.frame import FrameEncoder, Rows
from mtl_models.tabular.targets import Target

TABLE = "rows"


class TabularNetwork(nn.Module):
    """One network for all targets; `encoder` says how wide everything is."""

    loss_scales: Tensor

    def __init__(self, encoder: FrameEncoder, targets: Sequence[Target], config: TabularConfig) -> None:
        super().__init__()
        self.encoder, self.targets, self.config = encoder, tuple(targets), config
        self.columns = ColumnEmbeddings(encoder, config)
        self.scales = nn.Parameter(_random_signs(config.members, self.columns.widths))
        tables = {target.spec.name: TABLE for target in targets}
        self.sharing = build_sharing(self.columns.width, tables, config)
        self.towers = nn.ModuleDict(
            {target.spec.name: MemberTower(self.sharing.width, target.outputs, config) for target in targets}
        )
        self.register_buffer("loss_scales", torch.ones(len(targets)))

    def forward(self, rows: Rows) -> list[Tensor]:
        """[members, n, outputs] of each target: residuals to its constants."""
        x = self.columns(rows)  # [n, width]
        if len(self.scales) > 1:
            x = (x * self.scales[:, None]).flatten(0, 1)  # [members * n, width]
        if torch.is_autocast_enabled(x.device.type):  # once, not by each of the layers that read it
            x = x.to(torch.get_autocast_dtype(x.device.type))
        features = self.sharing({TABLE: x})
        return [self.towers[target.spec.name](features[target.spec.name]) for target in self.targets]

    def losses(self, raw: Sequence[Tensor], labels: Tensor) -> dict[str, Tensor]:
        """{task: mean over the rows whose label [n, tasks] is known, as a share of the constant predictor's}."""
        return {
            target.spec.name: self._loss(target, raw[i], labels[:, i]) / self.loss_scales[i]
            for i, target in enumerate(self.targets)
        }

    @torch.no_grad()
    def fit_scales(self, labels: Tensor) -> None:
        """Let 1 be the loss of the constant predictor; before training, on training rows."""
        for i, target in enumerate(self.targets):
            residual = labels.new_zeros(1, len(labels), target.outputs)
            self.loss_scales[i] = self._loss(target, residual, labels[:, i]).clamp_min(1e-6)

    def predictions(self, raw: Sequence[Tensor]) -> list[Tensor]:
        """[n, outputs] of each target: the members' mean, in the unit of the label."""
        return [target.predictions(raw[i]).mean(dim=0) for i, target in enumerate(self.targets)]

    def _loss(self, target: Target, raw: Tensor, label: Tensor) -> Tensor:
        """Each member learns for itself, so losses are averaged, not predictions."""
        each = target.losses(raw.float(), known(label).expand(raw.shape[:2]))  # [members, n]
        return masked_mean(each.mean(dim=0), label)


class ColumnEmbeddings(nn.Module):
    """Each column as `embedding_width` numbers: words by lookup, numbers by interpolation between learned vectors at
    the quantiles: the piecewise-linear encoding of Gorishniy et al. (2022) times a matrix, without its zeros."""

    first_knot: Tensor

    def __init__(self, encoder: FrameEncoder, config: TabularConfig) -> None:
        super().__init__()
        words, numbers, width = len(encoder.words), len(encoder.edges), config.embedding_width
        vocabulary = sum(len(words) for words in encoder.words.values())
        self.words = nn.Parameter(torch.empty(vocabulary, width).normal_(std=0.05))
        # A step from knot to knot, the last of them to the vector of a missing number.
        self.steps = nn.Parameter(torch.zeros(numbers, encoder.most_bins + 3, width).normal_(std=0.05))
        self.register_buffer("first_knot", torch.arange(numbers) * (encoder.most_bins + 3), persistent=False)
        self.widths = [width] * (words + numbers) + [1] * encoder.numbers.width
        self.filling = filling(sum(self.widths))  # columns of zeros
        self.widths += [1] * self.filling
        self.width = sum(self.widths)

    def forward(self, rows: Rows) -> Tensor:
        """[n, width]."""
        parts = [_look_up(self.words, rows.words).flatten(1)]
        if len(self.steps):
            knots = self.steps.cumsum(dim=1).flatten(0, 1)  # [numbers * knots, embedding_width]
            at = rows.bins + self.first_knot
            below, above = _look_up(knots, at), _look_up(knots, at + 1)
            parts.append(torch.lerp(below, above, rows.places[..., None]).flatten(1))
        return torch.cat([*parts, rows.numbers, rows.numbers.new_zeros(len(rows), self.filling)], dim=1)


class MemberTower(nn.Module):
    """A hidden layer that members share, and a last layer for each; zero before training, so that a new network is
    the constant predictor."""

    def __init__(self, width: int, outputs: int, config: TabularConfig) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, config.tower_width)
        self.last = nn.Parameter(torch.zeros(config.members, config.tower_width, outputs))
        self.bias = nn.Parameter(torch.zeros(config.members, 1, outputs))

    def forward(self, features: Tensor) -> Tensor:
        """[members, n, outputs] of features [members * n, width]."""
        hidden = functional.silu(self.hidden(features)).unflatten(0, (len(self.last), -1))
        with torch.autocast(features.device.type, enabled=False):  # so thin a product takes twice as long in bfloat16
            return torch.baddbmm(self.bias, hidden.float(), self.last)


def _look_up(table: Tensor, index: Tensor) -> Tensor:
    """[..., width] rows of the table. The gradient of nn.Embedding costs three times as much on a CPU."""
    return table.index_select(0, index.flatten()).unflatten(0, index.shape)


def _random_signs(members: int, widths: Sequence[int]) -> Tensor:
    """[members, sum of widths] of +1 and -1, equal within a column: members see each column as it is or mirrored."""
    signs = torch.randint(2, (members, len(widths))) * 2.0 - 1.0
    return signs.repeat_interleave(torch.tensor(widths), dim=1)
