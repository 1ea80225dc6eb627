"""Plain predictors that a head starts from. What a head must beat stands in `scorecard`."""

from __future__ import annotations

import torch
from torch import Tensor


def fit_logistic(
    features: Tensor,
    target: Tensor,
    weights: Tensor,
    ridge: float | Tensor = 1e-3,
    steps: int = 25,
    offset: Tensor | None = None,
) -> Tensor:
    """[k] coefficients of a weighted logistic regression of `target` [n] on `features` [n, k], by Newton steps
    (iteratively reweighted least squares). Rows without a target are left out; without rows, zeros. `ridge`: of all
    coefficients or of each [k], beside a mean loss of weight one. `offset`: [n] log odds that the features add to."""
    seen = ~torch.isnan(target)
    x, y, w = features[seen].double(), target[seen].double(), weights[seen].double()
    before = offset[seen].double() if offset is not None else torch.zeros_like(y)
    w = w / w.sum().clamp_min(1e-9)
    coefficients = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    penalty = torch.diag(torch.as_tensor(ridge, device=x.device).double().expand(features.shape[1]))
    for _ in range(steps):
        probability = torch.sigmoid(before + x @ coefficients)
        slope = x.T @ (w * (y - probability)) - penalty @ coefficients
        curvature = (x * (w * probability * (1 - probability))[:, None]).T @ x + penalty
        step = torch.linalg.solve(curvature, slope)
        # Far from the optimum a full step may overshoot; a bounded one still ends there.
        coefficients = coefficients + step / step.abs().max().clamp_min(2.0) * 2.0
    return coefficients.to(features.dtype)
