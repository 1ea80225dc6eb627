"""Supply: how many units will be asked for, with the quantiles that a stock decision needs."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from mtl_models.censoring import observed_demand
from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import known, masked_mean, negative_binomial_deviance, pinball
from mtl_models.samples import TaskSamples
from mtl_models.tower import Tower

LEVELS = (0.1, 0.5, 0.9, 0.95)
# Dispersion of the mean's loss, as for the price response: it is the same curve.
DISPERSION = 0.1


class Supply(Head):
    """The demand curve at the price that will be charged, times factors for the quantiles.

    Demand is learned, not sales: a week partly without stock counts by the part with stock (`censoring`).
    The factors know nothing of the price: another price moves all quantiles along the one curve.
    """

    table = "demand"
    branch = "demand"
    is_blind_to_ids = True
    levels = LEVELS

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.factors = Tower(width, len(LEVELS))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log mean units at the assumed price and [n, 4] ordered quantiles."""
        # An assumed price is a forecast: it may move the level, never the slope. An offer may fill a part of the week.
        curve = replace(view.demand, elasticity=view.demand.elasticity.detach())
        log_units = curve.log_units_at(rows.inputs["mean_price_assumed"], rows.inputs["reference_price"])
        quantiles = log_units.exp()[:, None] * self._factors(view, rows)
        return {"log_units": log_units, "quantiles": quantiles, "elasticity": view.demand.elasticity}

    def residuals(self, view: View) -> Tensor:
        """[n, 1] g(z) of the curve."""
        return view.demand.residual[:, None]

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Pinball of each quantile, and the deviance of the mean."""
        target, weights = observed_demand(rows)
        units = known(target)
        losses = {
            f"units_p{level * 100:.0f}": masked_mean(pinball(outputs["quantiles"][:, i], units, level), target, weights)
            for i, level in enumerate(LEVELS)
        }
        deviance = negative_binomial_deviance(outputs["log_units"], units, DISPERSION)
        return losses | {"units_mean": masked_mean(deviance, target, weights)}

    def calibrate(self, outputs: Outputs, rows: TaskSamples) -> None:
        """By the product's usual level, which knows nothing of the price."""
        demand, _ = observed_demand(rows)
        self.calibration.learn_quantiles(outputs["quantiles"], demand, rows.baselines["level"])

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.demand."""
        names = [f"demand_units_p{level * 100:.0f}" for level in LEVELS]
        calibrated = self.calibration.quantiles(outputs["quantiles"], rows.baselines["level"])
        quantiles = dict(zip(names, calibrated.unbind(dim=1), strict=True))
        return {"demand_units_mean": outputs["log_units"].exp(), **quantiles, "elasticity": outputs["elasticity"]}

    def _factors(self, view: View, rows: TaskSamples) -> Tensor:
        """[n, 4] quantile over mean, ordered: the median, a share of it below, multiples of it above. They start
        from the spread of the product's own 13 weeks."""
        own = torch.stack([rows.baselines[f"units_13w_p{level * 100:.0f}"] for level in LEVELS], dim=1)
        own = own + 0.3  # an empty week is little demand, not none
        residual = self.factors(view.shared)
        middle = (own[:, 1] / (rows.baselines["level"] + 0.3)).clamp(0.2, 2.0) * residual[:, 1].exp()
        lower = torch.sigmoid(torch.logit((own[:, 0] / own[:, 1]).clamp(0.02, 0.98)) + residual[:, 0])
        upper = 1 + _softplus_from(own[:, 2] / own[:, 1] - 1, residual[:, 2])
        highest = 1 + _softplus_from(own[:, 3] / own[:, 2] - 1, residual[:, 3])
        return torch.stack([middle * lower, middle, middle * upper, middle * upper * highest], dim=1)


def _softplus_from(start: Tensor, residual: Tensor) -> Tensor:
    """[n] positive: `start` where the residual is 0."""
    return functional.softplus(torch.log(torch.expm1(start.clamp(0.02, 10.0))) + residual)
