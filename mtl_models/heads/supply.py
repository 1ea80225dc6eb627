"""Supply: how many units will be asked for, with the quantiles that a stock decision needs."""

from __future__ import annotations

from dataclasses import replace

import torch
from torch import Tensor
from torch.nn import functional

from mtl_models.censoring import observed_demand
from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import known, masked_mean, negative_binomial_deviance, pinball
from mtl_models.normal import Z_90, Z_95
from mtl_models.samples import Entities, TaskSamples
from mtl_models.tower import Tower

LEVELS = (0.1, 0.5, 0.9, 0.95)
# Where the standard normal has them.
NORMAL_QUANTILES = (-Z_90, 0.0, Z_90, Z_95)
# Dispersion of the mean's loss, as for the price response: it is the same curve.
DISPERSION = 0.1
# Of the weeks around their level, until training rows tell, and the most that is believed of them.
FIRST_SPREAD, MOST_SPREAD = 0.3, 2.0
# Fewer expected than this are taken for as many: the quantiles of nearly nothing are no shape to start from.
LEAST_UNITS = 0.1


class Supply(Head):
    """The demand curve at the price that will be charged, times factors for the quantiles.

    Demand is learned, not sales: a week partly without stock counts by the part with stock (`censoring`).
    The factors know nothing of the price: another price moves all quantiles along the one curve.
    """

    table = "demand"
    branch = "demand"
    is_blind_to_ids = True
    levels = LEVELS
    spread: Tensor

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.factors = Tower(width, len(LEVELS))
        self.register_buffer("spread", torch.tensor(FIRST_SPREAD))

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """How far weeks lie from the usual level beyond a Poisson's luck: the negative binomial's dispersion, by
        moments."""
        demand, _ = observed_demand(rows)
        level = torch.where(demand.isnan(), torch.nan, rows.baselines["level"])
        excess = torch.nansum((demand - level).square() - level) / torch.nansum(level.square())
        self.spread.fill_(torch.nan_to_num(excess, nan=FIRST_SPREAD).clamp(0.0, MOST_SPREAD))

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
        """[n, 4] quantile over mean, ordered: the median, a share of it below, multiples of it above. They start from
        those of a negative binomial with the mean at the reference price. A product's own 13 weeks tell its quantiles
        with so much luck, and promotions that are over, that features cannot undo it: from there, the pinball loss on
        weeks not seen was 5% greater on the grocery chain, 6% on a demo shop."""
        start = quantiles_over_mean(view.demand.log_units.detach().exp(), self.spread)
        residual = self.factors(view.shared)
        middle = start[:, 1] * residual[:, 1].exp()
        lower = torch.sigmoid(torch.logit((start[:, 0] / start[:, 1]).clamp(0.02, 0.98)) + residual[:, 0])
        upper = 1 + _softplus_from(start[:, 2] / start[:, 1] - 1, residual[:, 2])
        highest = 1 + _softplus_from(start[:, 3] / start[:, 2] - 1, residual[:, 3])
        return torch.stack([middle * lower, middle, middle * upper, middle * upper * highest], dim=1)


def quantiles_over_mean(mean: Tensor, spread: Tensor) -> Tensor:
    """[n, 4] of a gamma distribution with the moments of a negative binomial, by its cube root, which is nearly normal
    (Wilson and Hilferty 1931)."""
    ninth = (1 / mean.clamp_min(LEAST_UNITS) + spread)[:, None] / 9
    return (1 - ninth + mean.new_tensor(NORMAL_QUANTILES) * ninth.sqrt()).clamp_min(0.35) ** 3


def _softplus_from(start: Tensor, residual: Tensor) -> Tensor:
    """[n] positive: `start` where the residual is 0."""
    return functional.softplus(torch.log(torch.expm1(start.clamp(0.02, 10.0))) + residual)
