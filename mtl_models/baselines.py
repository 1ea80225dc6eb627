"""Plain predictors that a head starts from. What a head must beat stands in `scorecard`."""

from __future__ import annotations

import torch
from torch import Tensor


def fit_logistic(features: Tensor, target: Tensor, weights: Tensor, ridge: float = 1e-3, steps: int = 25) -> Tensor:
    """[k] coefficients of a weighted logistic regression of `target` [n] on `features` [n, k], by Newton steps
    (iteratively reweighted least squares). Rows without a target are left out; without rows, zeros."""
    seen = ~torch.isnan(target)
    x, y, w = features[seen].double(), target[seen].double(), weights[seen].double()
    w = w / w.sum().clamp_min(1e-9)
    coefficients = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    penalty = ridge * torch.eye(features.shape[1], dtype=torch.float64, device=features.device)
    for _ in range(steps):
        probability = torch.sigmoid(x @ coefficients)
        slope = x.T @ (w * (y - probability)) - penalty @ coefficients
        curvature = (x * (w * probability * (1 - probability))[:, None]).T @ x + penalty
        step = torch.linalg.solve(curvature, slope)
        # Far from the optimum a full step may overshoot; a bounded one still ends there.
        coefficients = coefficients + step / step.abs().max().clamp_min(2.0) * 2.0
    return coefficients.to(features.dtype)
