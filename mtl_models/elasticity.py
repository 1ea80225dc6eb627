"""What prices that moved say about elasticities: of the shop before training, of each product after it.

The evidence are spells: times in which a product's price, and what promoted it, stood still. Expected units are
multiplicative: a level of each product, a factor of each market (a category's week, whose seasons and fashions no price
made), promotions, and the price.

The shop: one price coefficient for all, by Poisson regression with those effects; conditional on each product's total,
as in Hausman, Hall and Griliches (Econometrica 1984), so that no product's level has to be known.

A product: a Gaussian prior around the elasticity that the model learned for products like it meets the product's own
spells. Newton steps lead to the mode, the curvature there is the posterior's (Laplace approximation, MacKay 2003,
chapter 27). Where the products of each category lie, and how far they differ, is estimated from all of them
(`shrinkage`): a product whose price never moved follows its category, and the prior of a shop whose products differ
much is wide.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor

from mtl_models.shrinkage import Prior, learn_prior

# How far products differ before any price was seen (standard deviation), and the range that evidence may move it in.
FIRST_PRIOR_SPREAD = 0.5
LEAST_PRIOR_SPREAD, MOST_PRIOR_SPREAD = 0.2, 1.5
# An estimate further than this from what products like it have is noise that the normal approximation did not see.
MOST_SHIFT_IN_SPREADS = 2.5
# A shop's elasticity beyond these is a mistake in its prices.
STRONGEST_SHOP, WEAKEST_SHOP = -6.0, -0.3
# Products whose own spells know the elasticity less well (variance 4) do not tell how far products differ; nor do few.
LEAST_INFORMATION, LEAST_PRODUCTS = 0.25, 20
# A market that sold less than this is taken for a usual one.
USUAL_MARKET_UNITS = 20.0
# How far the model itself may be wrong, as a share of the elasticity, however much has been sold. On three demo shops,
# whose truth is known, elasticities come out 6 to 9% too weak: stock-outs hide the strongest days, and what is bought
# instead of something else does not ask for its price.
SPECIFICATION_ERROR = 0.1
NEWTON_STEPS = 15
MOST_STEP = 0.5
# Rounds in which levels, markets and coefficients are fitted in turn; the last ones move the price by less than 0.001.
ROUNDS = 30


@dataclass(frozen=True)
class Spells:
    """[n] each: `units` sold; `exposure`, days' worth of usual traffic that met stock; `log_price` over the product's
    mean; `context` [n, c] shares of the shop under each kind of promotion; numbers of `products`, their `categories`
    (from 1) and `markets`."""

    units: Tensor
    exposure: Tensor
    log_price: Tensor
    context: Tensor
    products: Tensor
    categories: Tensor
    markets: Tensor

    def __len__(self) -> int:
        return len(self.units)

    def to(self, device: torch.device) -> Spells:
        """The same spells on another device."""
        return Spells(*(getattr(self, field.name).to(device) for field in fields(self)))

    def take(self, index: Tensor) -> Spells:
        """The spells at `index`."""
        return Spells(*(getattr(self, field.name)[index] for field in fields(self)))


@dataclass(frozen=True)
class ShopResponse:
    """The `elasticity` that all products share, and the units [n] `expected` of each spell but for its price."""

    elasticity: float
    expected: Tensor


@dataclass(frozen=True)
class OwnElasticity:
    """Per product: `shift` from the learned elasticity and the `spread` (standard deviation) that is left of the
    `prior_spread`, a scalar: how far products differ of which nothing is known."""

    shift: Tensor
    spread: Tensor
    prior_spread: Tensor


def is_identified(spread: Tensor, prior_spread: Tensor) -> Tensor:
    """Whether the prices of the product and its category say at least twice as much as those of the shop."""
    return spread < prior_spread / 3**0.5


def standard_error(spread: Tensor, elasticity: Tensor) -> Tensor:
    """What an interval of the elasticity has to hold: noise, and that the model is a model. Same shape as both."""
    return torch.hypot(spread, SPECIFICATION_ERROR * elasticity)


def shop_response(spells: Spells) -> ShopResponse | None:
    """What the spells say together; None where no product had two prices."""
    if not len(spells):
        return None
    units, exposure = spells.units.double(), spells.exposure.double().clamp_min(1e-6)
    features = torch.cat([spells.log_price[:, None], spells.context], dim=1).double()  # [n, 1 + c]
    (names, product), (market_names, market) = (
        torch.unique(numbers, return_inverse=True) for numbers in (spells.products, spells.markets)
    )
    products, markets = len(names), len(market_names)
    sold, sold_in_market = _total(units, product, products), _total(units, market, markets)
    coefficients = features.new_zeros(features.shape[1])
    factor = torch.ones_like(sold_in_market)
    for _ in range(ROUNDS):
        base = exposure * factor[market] * (features @ coefficients).exp()
        rate = (sold / _total(base, product, products).clamp_min(1e-9))[product] * base
        factor *= (sold_in_market + USUAL_MARKET_UNITS) / (_total(rate, market, markets) + USUAL_MARKET_UNITS)
        centre = _total(rate[:, None] * features, product, products) / sold.clamp_min(1e-9)[:, None]
        deviation = features - centre[product]
        information = (rate[:, None] * deviation).T @ deviation
        if not information[0, 0] > 1.0:
            return None
        # A covariate that never varies within a product has no coefficient: a trace of a prior leaves it at zero.
        information.diagonal().add_(1e-6 * information.diagonal().mean() + 1e-9)
        step = torch.linalg.solve(information, deviation.T @ (units - rate))
        coefficients += step.clamp(-MOST_STEP, MOST_STEP)
    base = exposure * factor[market] * (features[:, 1:] @ coefficients[1:]).exp()
    paid = base * (features[:, 0] * coefficients[0]).exp()
    level = sold / _total(paid, product, products).clamp_min(1e-9)
    elasticity = float(coefficients[0].clamp(STRONGEST_SHOP, WEAKEST_SHOP))
    return ShopResponse(elasticity, level[product] * base)


def own_elasticity(
    units: Tensor,
    expected: Tensor,
    log_price: Tensor,
    product_ids: Tensor,
    categories: Tensor,
    *,
    prior_spread: Tensor,
) -> OwnElasticity:
    """The posterior of every product from [n] spells: units seen, units expected at the learned elasticity, log price
    and the product; id 0 (unknown) keeps the prior. `categories` [products] are numbers, 0 where not known.
    `prior_spread` holds where too few products tell how far they differ."""
    products = len(categories)
    units, expected, x = units.double(), expected.double().clamp_min(1e-3), log_price.double()
    level, shift, information = (torch.zeros(products, dtype=torch.float64, device=units.device) for _ in range(3))
    widest = MOST_PRIOR_SPREAD**-2
    for _ in range(NEWTON_STEPS if len(units) else 0):
        mu = expected * (level[product_ids] + shift[product_ids] * x).exp()
        variance = _variance(units, mu)
        weight, residual = mu**2 / variance, (units - mu) * mu / variance
        # The level is each product's own: only what the price explains beyond it counts.
        total_weight = _total(weight, product_ids, products).clamp_min(1e-9)
        centre = _total(weight * x, product_ids, products) / total_weight
        deviation = x - centre[product_ids]
        information = _total(weight * deviation**2, product_ids, products)
        slope = _total(residual * deviation, product_ids, products)
        step = ((slope - widest * shift) / (information + widest)).clamp(-MOST_STEP, MOST_STEP)
        rise = _total(residual, product_ids, products) / total_weight - centre * step
        shift, level = shift + step, level + rise.clamp(-MOST_STEP, MOST_STEP)
    estimate = shift * (information + widest) / information.clamp_min(1e-9)
    prior = _prior(estimate, information, categories, prior_spread.double())
    mean, prior_precision = prior.mean[categories], prior.spread[categories] ** -2
    shift = (information * estimate + mean * prior_precision) / (information + prior_precision)
    spread = (information + prior_precision).rsqrt()
    most = MOST_SHIFT_IN_SPREADS * prior.spread[categories]
    shift = torch.maximum(torch.minimum(shift, mean + most), mean - most)
    return OwnElasticity(shift.float(), spread.float(), prior.overall.float())


def _total(values: Tensor, group: Tensor, groups: int) -> Tensor:
    """[groups, ...] sums of the values [n, ...] by group."""
    return values.new_zeros(groups, *values.shape[1:]).index_add_(0, group, values)


def _variance(units: Tensor, mu: Tensor) -> Tensor:
    """[n] spare * mu + clumping * mu^2, both by the method of moments (Breslow 1984); never less than a Poisson
    count's."""
    excess, weights = (units - mu) ** 2 / mu, (1 + 0.1 * mu) ** -2
    mean_mu, mean_excess = ((weights * values).sum() / weights.sum() for values in (mu, excess))
    covariance = (weights * (mu - mean_mu) * (excess - mean_excess)).sum()
    clumping = (covariance / (weights * (mu - mean_mu) ** 2).sum().clamp_min(1e-9)).clamp_min(0.0)
    spare = (mean_excess - clumping * mean_mu).clamp_min(1.0)
    return spare * mu + clumping * mu**2


def _prior(estimate: Tensor, information: Tensor, categories: Tensor, otherwise: Tensor) -> Prior:
    """What the products' own estimates [products] say of their categories."""
    groups, known = int(categories.max()) + 1, information > LEAST_INFORMATION
    if int(known.sum()) < LEAST_PRODUCTS:
        nothing = estimate.new_zeros(groups)
        return Prior(nothing, nothing + otherwise, otherwise)
    return learn_prior(
        estimate[known],
        1 / information[known],
        categories[known],
        groups,
        least=LEAST_PRIOR_SPREAD,
        most=MOST_PRIOR_SPREAD,
    )
