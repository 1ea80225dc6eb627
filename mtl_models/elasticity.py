"""What prices that moved say about elasticities: of the shop before training, of each product after it.

The shop: products sell more in the weeks in which they are cheap, whatever else goes on. Poisson regression with an
effect of its own for each group of weeks, which conditions on the group's total (Hausman, Hall and Griliches,
Econometrica 1984), and with the announced promotions as covariates.

A product: a Gaussian prior around the elasticity that the model learned for products like it meets the product's own
weeks. Newton steps lead to the mode, the curvature there is the posterior's (Laplace approximation, MacKay 2003,
chapter 27). How far products really differ is estimated too (empirical Bayes: Morris, JASA 1983): the prior of a shop
whose products differ much is wide.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

# How far products differ before any price was seen (standard deviation), and the range that evidence may move it in.
FIRST_PRIOR_SPREAD = 0.5
LEAST_PRIOR_SPREAD, MOST_PRIOR_SPREAD = 0.2, 1.5
# An estimate further than this from what products like it have is noise that the normal approximation did not see.
MOST_SHIFT_IN_SPREADS = 2.5
# A shop's elasticity beyond these is a mistake in its prices.
STRONGEST_SHOP, WEAKEST_SHOP = -6.0, -0.3
# Products whose own weeks know the elasticity less well (variance 4) do not tell how far products differ; nor do few.
LEAST_INFORMATION, LEAST_PRODUCTS = 0.25, 20
NEWTON_STEPS = 15
MOST_STEP = 0.5


@dataclass(frozen=True)
class OwnElasticity:
    """Per product: `shift` from the learned elasticity and the `spread` (standard deviation) that is left of the
    `prior_spread`, a scalar."""

    shift: Tensor
    spread: Tensor
    prior_spread: Tensor

    def faded(self, kept: float) -> OwnElasticity:
        """The same evidence when only the share `kept` of it still counts; 0 leaves the prior alone."""
        prior = self.prior_spread**-2
        before = (self.spread**-2 - prior).clamp_min(0.0)
        now = before * kept
        weight = torch.where(before > 0, (now / (now + prior)) / (before / (before + prior)), 0.0)
        return OwnElasticity(self.shift * weight, (now + prior).rsqrt(), self.prior_spread)

    def under(self, prior_spread: Tensor) -> OwnElasticity:
        """The same evidence under another prior."""
        information = (self.spread**-2 - self.prior_spread**-2).clamp_min(0.0)
        before, now = self.spread**-2, information + prior_spread**-2
        return OwnElasticity(self.shift * before / now, now.rsqrt(), prior_spread)

    def or_better(self, other: OwnElasticity) -> OwnElasticity:
        """Per product, the one of both that knows more, under this one's prior. They may rest on the same weeks, so
        they are not added."""
        other = other.under(self.prior_spread)
        is_other = other.spread < self.spread
        return OwnElasticity(
            shift=torch.where(is_other, other.shift, self.shift),
            spread=torch.where(is_other, other.spread, self.spread),
            prior_spread=self.prior_spread,
        )


def is_identified(spread: Tensor, prior_spread: Tensor) -> Tensor:
    """Whether the product's own prices say at least twice as much as the prior."""
    return spread < prior_spread / 3**0.5


def shop_elasticity(
    units: Tensor, expected: Tensor, log_ratio: Tensor, context: Tensor, groups: Tensor
) -> float | None:
    """The elasticity that all products share, from [n] weeks: units, what was expected of them without the price, log
    price ratio, context [n, c] and the group of each. None where no group has two weeks at different prices."""
    features = torch.cat([log_ratio[:, None], context], dim=1).double()
    _, group = torch.unique(groups, return_inverse=True)
    count = int(group.max()) + 1 if len(group) else 0

    def total(values: Tensor) -> Tensor:
        return torch.zeros(count, *values.shape[1:], dtype=values.dtype, device=values.device).index_add_(
            0, group, values
        )

    log_expected, units = expected.double().clamp_min(1e-3).log(), units.double()
    sold = total(units)
    coefficients = torch.zeros(features.shape[1], dtype=torch.float64, device=features.device)
    for _ in range(NEWTON_STEPS):
        rate = (log_expected + features @ coefficients).exp()
        share = rate / total(rate)[group]
        weight = share * sold[group]
        deviation = features - total(share[:, None] * features)[group]
        information = (weight[:, None] * deviation).T @ deviation
        if not information[0, 0] > 1.0:
            return None
        # A covariate that never varies within a group has no coefficient: a trace of a prior leaves it at zero.
        information.diagonal().add_(1e-6 * information.diagonal().mean() + 1e-9)
        step = torch.linalg.solve(information, deviation.T @ (units - weight))
        coefficients += step.clamp(-MOST_STEP, MOST_STEP)
    return float(coefficients[0].clamp(STRONGEST_SHOP, WEAKEST_SHOP))


def own_elasticity(
    units: Tensor,
    expected: Tensor,
    log_ratio: Tensor,
    product_ids: Tensor,
    products: int,
    *,
    weights: Tensor,
    prior_spread: Tensor,
) -> OwnElasticity:
    """The posterior of `products` products from [n] observed weeks: units seen, units expected at the learned
    elasticity, log price ratio, the product and the weight of each (a week that occurs twice counts half each time);
    id 0 (unknown) keeps the prior. `prior_spread` holds where too few products tell how far they differ."""

    def total(values: Tensor) -> Tensor:
        return torch.zeros(products, dtype=torch.float64, device=values.device).index_add_(0, product_ids, values)

    units, expected, x = units.double(), expected.double().clamp_min(1e-3), log_ratio.double()
    level, shift, information = (torch.zeros(products, dtype=torch.float64, device=units.device) for _ in range(3))
    for _ in range(NEWTON_STEPS if len(units) else 0):
        mu = expected * (level[product_ids] + shift[product_ids] * x).exp()
        variance = _variance(units, mu, weights)
        weight, residual = weights * mu**2 / variance, weights * (units - mu) * mu / variance
        # The level is each product's own: only what the price explains beyond it counts.
        centre = total(weight * x) / total(weight).clamp_min(1e-9)
        deviation = x - centre[product_ids]
        information, widest = total(weight * deviation**2), MOST_PRIOR_SPREAD**-2
        step = ((total(residual * deviation) - widest * shift) / (information + widest)).clamp(-MOST_STEP, MOST_STEP)
        rise = total(residual) / total(weight).clamp_min(1e-9) - centre * step
        shift, level = shift + step, level + rise.clamp(-MOST_STEP, MOST_STEP)
    widest_prior = torch.full((), MOST_PRIOR_SPREAD, dtype=torch.float64, device=units.device)
    found = OwnElasticity(shift, (information + MOST_PRIOR_SPREAD**-2).rsqrt(), widest_prior)
    found = found.under(_between_products(found, prior_spread.double()))
    most = MOST_SHIFT_IN_SPREADS * found.prior_spread
    shift, spread = found.shift.clamp(-most, most), found.spread.clone()
    shift[0], spread[0] = 0.0, found.prior_spread
    return OwnElasticity(shift.float(), spread.float(), found.prior_spread.float())


def _variance(units: Tensor, mu: Tensor, weights: Tensor) -> Tensor:
    """[n] spare * mu + clumping * mu^2, both by the method of moments (Breslow 1984); never less than a Poisson
    count's."""
    excess, weights = (units - mu) ** 2 / mu, weights / (1 + 0.1 * mu) ** 2
    mean_mu, mean_excess = ((weights * values).sum() / weights.sum() for values in (mu, excess))
    covariance = (weights * (mu - mean_mu) * (excess - mean_excess)).sum()
    clumping = (covariance / (weights * (mu - mean_mu) ** 2).sum().clamp_min(1e-9)).clamp_min(0.0)
    spare = (mean_excess - clumping * mean_mu).clamp_min(1.0)
    return spare * mu + clumping * mu**2


def _between_products(found: OwnElasticity, otherwise: Tensor) -> Tensor:
    """How far products differ: the spread under which their estimates are likeliest. Each estimate varies by the spread
    and by its own noise."""
    information = found.spread**-2 - found.prior_spread**-2
    known = information > LEAST_INFORMATION
    if int(known.sum()) < LEAST_PRODUCTS:
        return otherwise
    noise = 1 / information[known]
    estimate = found.shift[known] * (found.spread[known] ** -2) * noise
    candidates = torch.linspace(LEAST_PRIOR_SPREAD, MOST_PRIOR_SPREAD, 66, dtype=noise.dtype, device=noise.device)
    variance = candidates[:, None] ** 2 + noise
    log_likelihood = -0.5 * (variance.log() + estimate**2 / variance).sum(dim=1)
    return candidates[log_likelihood.argmax()]
