"""Losses per row, and the mean over the rows whose label is known.

Counts and money use deviances (twice the log-likelihood missing to a perfect fit): they are never negative, which
ratios of losses and balancing methods rely on.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def masked_mean(loss: Tensor, target: Tensor, weights: Tensor | None = None) -> Tensor:
    """Weighted mean of `loss` [n] over rows whose `target` [n] or [n, k] is known; 0 when none is.

    The rows without a label get exactly zero gradient. Compute `loss` from `known(target)`.
    """
    observed = ~torch.isnan(target)
    observed = observed if observed.dim() == 1 else observed.all(dim=1)
    share = observed.to(loss.dtype) if weights is None else observed * weights
    return torch.where(observed, loss, 0.0).mul(share).sum() / share.sum().clamp_min(1e-9)


def known(target: Tensor) -> Tensor:
    """The target with 0 in place of NaN, so that masked rows stay finite."""
    return torch.nan_to_num(target, nan=0.0)


def logit(probability: Tensor, margin: float = 1e-3) -> Tensor:
    """Log odds, kept `margin` away from certainty: a plain predictor is never that sure."""
    return torch.logit(probability.clamp(margin, 1 - margin))


def binary_cross_entropy(log_odds: Tensor, target: Tensor) -> Tensor:
    """[n]; the target may be a share between 0 and 1."""
    return functional.binary_cross_entropy_with_logits(log_odds, target, reduction="none")


def soft_cross_entropy(log_shares: Tensor, target_shares: Tensor) -> Tensor:
    """[n] cross-entropy of predicted shares [n, k] against observed shares [n, k]."""
    return -(target_shares * log_shares).sum(dim=1)


def poisson_deviance(log_mean: Tensor, count: Tensor) -> Tensor:
    """[n] deviance of a count with that mean."""
    return 2 * (torch.xlogy(count, count) - count * log_mean - count + log_mean.exp())


def negative_binomial_deviance(log_mean: Tensor, count: Tensor, dispersion: float) -> Tensor:
    """[n] deviance of a count with variance mean + dispersion * mean^2."""
    mean = log_mean.exp()
    excess = (count + 1 / dispersion) * torch.log((1 + dispersion * mean) / (1 + dispersion * count))
    return 2 * (torch.xlogy(count, count) - count * log_mean + excess)


def tweedie_deviance(log_mean: Tensor, amount: Tensor, power: float = 1.5) -> Tensor:
    """[n] deviance of a compound Poisson-gamma amount: exact zeros and a heavy tail in one (Jorgensen 1987)."""
    one, two = 1 - power, 2 - power
    fixed = amount.pow(two) / (one * two)
    return 2 * (fixed - amount * torch.exp(one * log_mean) / one + torch.exp(two * log_mean) / two)


def gamma_deviance(log_mean: Tensor, amount: Tensor) -> Tensor:
    """[n] deviance of a positive amount whose spread grows with its mean, such as minutes; 0.1 is the least."""
    log_ratio = amount.clamp_min(0.1).log() - log_mean
    return 2 * (log_ratio.exp() - 1 - log_ratio)


def pinball(quantile: Tensor, target: Tensor, level: float) -> Tensor:
    """[n] loss that the `level` quantile minimises (Koenker and Bassett 1978)."""
    gap = target - quantile
    return torch.maximum(level * gap, (level - 1) * gap)
