"""What a product's own prices say about its elasticity, after what its category taught.

A Gaussian prior around the learned elasticity meets the Fisher information of the product's own weeks. One Newton
step from the prior mean gives the posterior (Laplace approximation, MacKay 2003, chapter 27):

    information = sum of mu * (x - mean x)^2 / dispersion       x = log(price / reference price)
    shift       = sum of (y - mu) * (x - mean x) / dispersion / (information + 1 / prior variance)
    spread      = 1 / sqrt(information + 1 / prior variance)

The mean of x is weighted by mu and taken out, so that the product's level is not mistaken for its slope.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_models.demand_curve import PRIOR_SPREAD

# An estimate further than this from its category is noise that the normal approximation did not see.
MOST_SHIFT = 2 * PRIOR_SPREAD


@dataclass(frozen=True)
class OwnElasticity:
    """Per product: `shift` from the learned elasticity and the `spread` (standard deviation) that is left."""

    shift: Tensor
    spread: Tensor

    def faded(self, kept: float) -> OwnElasticity:
        """The same evidence when only the share `kept` of it still counts; 0 leaves the prior alone."""
        prior = 1 / PRIOR_SPREAD**2
        before = (self.spread**-2 - prior).clamp_min(0.0)
        now = before * kept
        weight = torch.where(before > 0, (now / (now + prior)) / (before / (before + prior)), 0.0)
        return OwnElasticity(shift=self.shift * weight, spread=(now + prior).rsqrt())

    def or_better(self, other: OwnElasticity) -> OwnElasticity:
        """Per product, the one of both that knows more. They may rest on the same weeks, so they are not added."""
        is_other = other.spread < self.spread
        return OwnElasticity(
            shift=torch.where(is_other, other.shift, self.shift),
            spread=torch.where(is_other, other.spread, self.spread),
        )


def is_identified(spread: Tensor) -> Tensor:
    """Whether the product's own prices say more than the prior: their information outweighs it."""
    return spread < PRIOR_SPREAD / 2**0.5


def own_elasticity(
    units: Tensor, expected: Tensor, log_ratio: Tensor, product_ids: Tensor, products: int
) -> OwnElasticity:
    """The posterior of `products` products from [n] observed weeks: units seen, units expected at the learned
    elasticity, log price ratio, and the product of each; id 0 (unknown) keeps the prior."""

    def total(values: Tensor) -> Tensor:
        return torch.zeros(products, dtype=values.dtype, device=values.device).index_add_(0, product_ids, values)

    excess = (units - expected) ** 2 / expected.clamp_min(1e-3)
    dispersion = excess.mean().clamp_min(1.0) if len(excess) else units.new_tensor(1.0)
    centre = total(expected * log_ratio) / total(expected).clamp_min(1e-9)
    deviation = log_ratio - centre[product_ids]
    prior = 1 / PRIOR_SPREAD**2
    information = total(expected * deviation**2) / dispersion
    shift = total((units - expected) * deviation) / dispersion / (information + prior)
    spread = (information + prior).rsqrt()
    shift[0], spread[0] = 0.0, PRIOR_SPREAD
    return OwnElasticity(shift=shift.clamp(-MOST_SHIFT, MOST_SHIFT), spread=spread)
