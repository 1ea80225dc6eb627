"""Which products go together: EASE, the item-item model with a closed form.

H. Steck, "Embarrassingly Shallow Autoencoders for Sparse Data" (WWW 2019). With X the users' interactions, it
minimises ||X - X B||^2 + ridge ||B||^2 under diag(B) = 0. The solution needs one inverse:
P = (X'X + ridge I)^-1, B_ij = -P_ij / P_jj. A user's scores are x B, for products never bought as well.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_USERS_AT_ONCE = 2048


@dataclass(frozen=True, kw_only=True)
class Interactions:
    """A sparse users x items matrix as coordinates: row `user`, column `item`, value `weight`, each (n,)."""

    user: np.ndarray
    item: np.ndarray
    weight: np.ndarray
    users: int
    items: int

    def blocks(self) -> Iterator[tuple[int, Tensor]]:
        """Dense blocks of rows, float32 (at most 2048, items), each with the number of its first row."""
        order = np.argsort(self.user, kind="stable")
        user, item, weight = self.user[order], self.item[order], self.weight[order]
        for first in range(0, self.users, _USERS_AT_ONCE):
            rows = min(_USERS_AT_ONCE, self.users - first)
            low, high = np.searchsorted(user, (first, first + rows))
            block = torch.zeros(rows, self.items)
            position = (torch.from_numpy(user[low:high] - first).long(), torch.from_numpy(item[low:high]).long())
            block[position] = torch.from_numpy(weight[low:high]).float()
            yield first, block


def fit(interactions: Interactions, relative_ridge: float) -> Tensor:
    """EASE's weights B, float32 (items, items), zero on the diagonal. The ridge is relative to the mean of the
    diagonal of X'X, so that one setting fits shops of any size."""
    gram = torch.zeros(interactions.items, interactions.items)
    for _, block in interactions.blocks():
        gram.addmm_(block.T, block)
    gram.diagonal().add_(relative_ridge * gram.diagonal().mean())
    precision = torch.cholesky_inverse(torch.linalg.cholesky(gram))
    weights = precision.div_(-precision.diagonal().clone())
    return weights.fill_diagonal_(0)


def best_unseen(scores: Tensor, seen: Tensor, count: int) -> Tensor:
    """Which items are among the `count` best of their row and not `seen` (> 0): bool (rows, items).

    A row with fewer unseen items has fewer; a row that has seen nothing has none, for nothing is known of it.
    """
    best = scores.masked_fill(seen > 0, -torch.inf).topk(min(count, scores.shape[1]), dim=1).indices
    is_best = torch.zeros_like(scores, dtype=torch.bool).scatter_(1, best, True)
    return is_best & (seen <= 0) & (seen > 0).any(dim=1, keepdim=True)
