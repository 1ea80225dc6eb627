"""Pricing and promotion: how demand answers to the price, who redeems an offer, and what an offer adds."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from mtl_models.baselines import fit_logistic
from mtl_models.censoring import observed_demand
from mtl_models.heads.base import Head, Outputs, View
from mtl_models.losses import binary_cross_entropy, known, logit, masked_mean, negative_binomial_deviance
from mtl_models.preprocess import IS_MISSING, Scaler
from mtl_models.samples import Entities, TaskSamples
from mtl_models.tower import Tower

# Variance of weekly units is mean + DISPERSION * mean^2: keeps best sellers from drowning the rest.
DISPERSION = 0.1
# Context that says how one campaign differs from another.
OF_CAMPAIGN = frozenset(
    f"ctx_{name}"
    for name in (
        "usual_redeemed_ratio",
        "same_type_redeemed_ratio",
        "campaign_products",
        "campaign_users",
        "coupon_count",
        "discount_value",
        "days_left",
        "is_kind_1",
        "is_kind_2",
        "is_kind_3",
    )
)
# What is believed, before any row is seen, of how far what is known of a user moves the log odds: 1 / spread^2, per
# standard deviation of a feature.
PRECISION = 300.0
# Furthest that a user's effect of an offer lies from that of all, in log odds.
MOST_TILT = 0.5


class PriceResponse(Head):
    """The demand curve at the observed price; this is where the elasticity is learned.

    A product's level is in its baseline and its own slope in `elasticity`: an id embedding would only repeat their
    noise (measured: demand's relative loss 0.807 without ids, 0.816 with).
    """

    table = "demand"
    branch = "demand"
    is_blind_to_ids = True

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log units at that week's shelf price, and the elasticity."""
        log_units = view.demand.log_units_at(rows.inputs["price"], rows.inputs["reference_price"])
        return {"log_units": log_units, "elasticity": view.demand.elasticity}

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Deviance of the units of priced products."""
        demand, weights = observed_demand(rows)
        target = torch.where(rows.inputs["is_priced"] > 0, demand, torch.nan)
        deviance = negative_binomial_deviance(outputs["log_units"], known(target), DISPERSION)
        return {"units": masked_mean(deviance, target, weights)}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Units at the observed price, and the elasticity."""
        return {"units": outputs["log_units"].exp(), "elasticity": outputs["elasticity"]}


class Redemption(Head):
    """Whether a user redeems a coupon of a campaign, over the user's own past rate and a logistic regression on what
    tells users apart: their past with offers, and everything else that is known of them in numbers.

    A shop has few campaigns with many users each: how users differ is learned from a few thousand rows by a regression
    at best, how campaigns differ hardly at all (measured on the validation windows of four shops, network alone, with
    that start from the past with offers, and from all: AUC 0.817 -> 0.825 -> 0.830, 0.691 -> 0.707 -> 0.711, 0.709 ->
    0.716 -> 0.727, 0.733 -> 0.748 -> 0.750).

    Campaigns last longer than a horizon: the other tasks may have seen later weeks of the same household. Its rows
    therefore carry no user id, so that nothing learned about one household from later rows can reach them.

    They are not calibrated: a validation window holds a campaign or two, which are unlike the next (measured on two
    shops: redeemed by 0.24 and 0.20, then by 0.05 and 0.12; log loss 2.5% greater in one shop, 0.6% less in the other).
    """

    table = "promotion"
    is_blind_to_ids = True
    tells_users_apart: Tensor
    coefficients: Tensor

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.residual = Tower(width, 1, hidden=32)
        self.lay_out(Scaler(names=()), Scaler(names=()))

    def lay_out(self, context: Scaler, users: Scaler) -> None:
        """Room for an intercept and the coefficients of what tells users apart."""
        of_user = [name.removesuffix(IS_MISSING) not in OF_CAMPAIGN for name in context.columns]
        self.register_buffer("tells_users_apart", torch.tensor(of_user, dtype=torch.bool), persistent=False)
        self.register_buffer("coefficients", torch.zeros(1 + sum(of_user) + users.width))

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """The regression, drawn towards the user's own past rate."""
        features, target = self._regressors(rows, entities), rows.targets["redeemed"]
        precision = torch.full_like(self.coefficients, PRECISION)
        precision[0] = PRECISION / 1e4  # the intercept is nearly free
        ridge = precision / (~torch.isnan(target)).sum().clamp_min(1)
        own = logit(rows.baselines["redeemed"])
        self.coefficients.copy_(fit_logistic(features, target, torch.ones_like(own), ridge, offset=own))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log odds."""
        start = logit(rows.baselines["redeemed"]) + self._regressors(rows, view.entities) @ self.coefficients
        return {"redeemed": start + self.residual(view.shared).squeeze(1)}

    def _regressors(self, rows: TaskSamples, entities: Entities) -> Tensor:
        """[n, 1 + k] an intercept and what tells users apart: their past with offers, and all other numbers of them."""
        past, users = rows.context[:, self.tells_users_apart], entities["user"].numbers_of(rows.slots["user"])
        return torch.cat([rows.context.new_ones(len(rows), 1), past, users], dim=1)

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Cross-entropy."""
        target = rows.targets["redeemed"]
        return {"redeemed": masked_mean(binary_cross_entropy(outputs["redeemed"], known(target)), target)}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.promotion."""
        return {"redemption_probability": outputs["redeemed"].sigmoid()}


class Uplift(Head):
    """What an offer adds to the probability of an order: one response without it and the effect of it, on features
    that the offer does not change (TARNet, Shalit, Johansson and Sontag 2017), told apart because both those who were
    offered a campaign and comparable others are seen.

    The effect is one number for all, tilted by features within bounds: few rows say little about who is moved more.
    """

    table = "promotion"
    is_blind_to_ids = True

    def __init__(self, width: int, interests: int) -> None:
        super().__init__(width, interests)
        self.without_offer = Tower(width, 1, hidden=32)
        self.tilt = Tower(width, 1, hidden=16)
        self.effect = nn.Parameter(torch.zeros(()))

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """The difference between both groups, from where few steps of training go on."""
        ordered, offered = rows.targets["ordered"], rows.inputs["is_offered"] > 0
        rates = [torch.nanmean(ordered[group]) for group in (offered, ~offered)]
        self.effect.fill_(torch.nan_to_num(logit(rates[0]) - logit(rates[1])))

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """[n] log odds of an order without the offer and with it."""
        without = logit(rows.baselines["ordered"], margin=0.02) + self.without_offer(view.shared).squeeze(1)
        effect = self.effect + MOST_TILT * torch.tanh(self.tilt(view.shared).squeeze(1))
        return {"without_offer": without, "with_offer": without + effect}

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Cross-entropy of the one outcome of both that was seen."""
        target = rows.targets["ordered"]
        seen = torch.where(rows.inputs["is_offered"] > 0, outputs["with_offer"], outputs["without_offer"])
        return {"ordered": masked_mean(binary_cross_entropy(seen, known(target)), target)}

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of predicted.promotion."""
        without, offered = outputs["without_offer"].sigmoid(), outputs["with_offer"].sigmoid()
        return {"order_probability": without, "uplift": offered - without}
