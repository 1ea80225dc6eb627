"""The one demand curve: pricing reads its slope, supply its level at the price that will be charged.

    log units = log base_level + g(z) + elasticity * log(price / reference_price),   elasticity < 0

Price enters nowhere else (the features z know nothing of that week's shelf price), so demand falls in price by
construction, for every product and whatever was learned. The elasticity depends on the product alone: what the
shop's and the category's products taught, moved by what the product's own prices showed (`elasticity`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mtl_models.elasticity import FIRST_PRIOR_SPREAD, ShopResponse, Spells, own_elasticity, shop_response
from mtl_models.tower import Tower

# Demand hardly reacts at all below this; zero would make every price as good as any other.
WEAKEST_ELASTICITY = -0.05
# Shelf prices further than e^1 from their reference are mistakes in the feed more often than offers.
MOST_LOG_PRICE_RATIO = 1.0
# The shop's elasticity where no price of it has moved yet.
FIRST_ELASTICITY = -1.0

Number = TypeVar("Number")


def units_at(units: Number, elasticity: Number, price_from: Number, price_to: Number) -> Number:
    """Units at `price_to` when `units` are expected at `price_from`; arrays, columns and numbers alike."""
    return units * (price_to / price_from) ** elasticity  # type: ignore[operator]


@dataclass(frozen=True)
class Curve:
    """Each row's demand: `log_units` [n] at the reference price, its negative `elasticity` [n], and the `residual` g(z)
    [n] that the features add to the product's usual log level."""

    log_units: Tensor
    elasticity: Tensor
    residual: Tensor

    def log_units_at(self, price: Tensor, reference_price: Tensor) -> Tensor:
        """[n] log units at `price`; where either price is unknown, at the reference price."""
        return self.log_units + self.elasticity * log_price_ratio(price, reference_price)


def log_price_ratio(price: Tensor, reference_price: Tensor) -> Tensor:
    """[n] log of price over reference; 0 where either is unknown."""
    ratio = torch.log(price.clamp_min(1e-4) / reference_price.clamp_min(1e-4))
    return torch.nan_to_num(ratio, nan=0.0).clamp(-MOST_LOG_PRICE_RATIO, MOST_LOG_PRICE_RATIO)


class DemandCurve(nn.Module):
    """g(z) and the elasticity. `own_shift` and `own_spread` [products] and the `prior_spread` of products like it are
    not trained by gradient but set from the evidence of each product's own prices when training ends."""

    own_shift: Tensor
    own_spread: Tensor
    prior_spread: Tensor

    def __init__(self, shared_width: int, product_width: int, products: int) -> None:
        super().__init__()
        self.level = Tower(shared_width, 1)
        self.slope = nn.Linear(product_width, 1)
        nn.init.zeros_(self.slope.weight)
        self._start_from(FIRST_ELASTICITY)
        self.register_buffer("own_shift", torch.zeros(products))
        self.register_buffer("own_spread", torch.full((products,), FIRST_PRIOR_SPREAD))
        self.register_buffer("prior_spread", torch.tensor(FIRST_PRIOR_SPREAD))

    @torch.no_grad()
    def start(self, spells: Spells) -> None:
        """Begin with the elasticities that the shop's prices show. A slope that has to travel while g(z) learns would
        leave to the promotions what the price did."""
        response = shop_response(spells)
        if response is not None:
            self._start_from(response.elasticity)
            self._settle(spells, response, torch.full_like(self.own_shift, response.elasticity))

    @torch.no_grad()
    def settle(self, spells: Spells, learned: Tensor) -> None:
        """Move each product's elasticity from the one `learned` [products] for products like it by what its own prices
        say; nothing moves where no product had two prices."""
        response = shop_response(spells)
        if response is not None:
            self._settle(spells, response, learned)

    def _settle(self, spells: Spells, response: ShopResponse, learned: Tensor) -> None:
        own = own_elasticity(
            units=spells.units,
            expected=response.expected * (learned[spells.products] * spells.log_price).exp(),
            log_price=spells.log_price,
            product_ids=spells.products,
            categories=torch.zeros_like(self.own_shift, dtype=torch.int64).index_put(
                (spells.products,), spells.categories
            ),
            prior_spread=self.prior_spread,
        )
        self.own_shift.copy_(own.shift)
        self.own_spread.copy_(own.spread)
        self.prior_spread.copy_(own.prior_spread)

    def _start_from(self, elasticity: float) -> None:
        nn.init.constant_(self.slope.bias, _inverse_softplus(-elasticity))

    def forward(self, shared: Tensor, product: Tensor, product_ids: Tensor, base_level: Tensor) -> Curve:
        """The curve of rows with features [n, shared_width], products [n, product_width] and [n] ids."""
        residual = self.level(shared).squeeze(1)
        log_units = torch.log(base_level.clamp_min(1e-3)) + residual
        learned = -functional.softplus(self.slope(product).squeeze(1)) + self.own_shift[product_ids]
        return Curve(log_units=log_units, elasticity=learned.clamp_max(WEAKEST_ELASTICITY), residual=residual)


def _inverse_softplus(value: float) -> float:
    return float(torch.log(torch.expm1(torch.tensor(value))))
