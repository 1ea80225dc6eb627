"""The small network of a head."""

from __future__ import annotations

from torch import Tensor, nn


class Tower(nn.Module):
    """Shared features [n, width] to residuals [n, outputs], all zero before training: a head starts exactly at
    its baseline and learns what the baseline misses."""

    def __init__(self, width: int, outputs: int, hidden: int = 64) -> None:
        super().__init__()
        self.hidden = nn.Linear(width, hidden)
        self.residual = nn.Linear(hidden, outputs)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)

    def forward(self, shared: Tensor) -> Tensor:
        """[n, outputs]."""
        return self.residual(nn.functional.silu(self.hidden(shared)))
