"""How much to order, and when: a periodic-review (R, s, S) policy on gamma-distributed demand.

Demand over a protection period is the sum of weekly demands taken as independent, with mean and variance matched
by a gamma distribution: positive, skewed and overdispersed as retail demand is. An uncertain lead time adds
(mean per day)^2 x variance of the days. Where it is known what an order line and holding cost, an order is at least
the economic quantity sqrt(2 K D / h) of Harris (1913), so that slow cheap goods are not ordered unit by unit.
Silver, Pyke and Thomas (2017), Inventory and Production Management, ch. 4, 6-7.
Shapes: n products at sites, 4 weeks.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from mtl_models.normal import Z_90, Z_95

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

DAYS = 7.0
UNLIMITED_DAYS = 1e6
# An order for longer than the forecast looks ahead would rest on nothing.
LONGEST_CYCLE_DAYS = 28.0
# Measured for shapes from 0.001 to 100,000 and levels from 0.05 to 0.999: six steps leave less than a billionth.
NEWTON_STEPS = 6
# The logarithm of next to nothing that a double still holds.
SMALLEST_LOG = -700.0
_TINY = 1e-9


@dataclass(frozen=True, kw_only=True)
class Demand:
    """Demand over a period: mean and variance in units, (n,) each."""

    mean: Floats
    variance: Floats

    @property
    def _shape_and_scale(self) -> tuple[torch.Tensor, torch.Tensor]:
        mean, variance = torch.as_tensor(self.mean).clamp(min=_TINY), torch.as_tensor(self.variance).clamp(min=_TINY)
        return mean**2 / variance, variance / mean

    def probability_above(self, units: Floats) -> Floats:
        """P(demand > units), (n,); NaN where the units are not known."""
        shape, scale = self._shape_and_scale
        # The incomplete gamma function takes its slowest path on NaN, so these go in as 0.
        stock = torch.as_tensor(np.nan_to_num(units)).clamp(min=0)
        return np.where(np.isnan(units), np.nan, torch.special.gammaincc(shape, stock / scale).numpy())

    def expected_shortage(self, units: Floats) -> Floats:
        """E[(demand - units)+], the units that could not be served, (n,); NaN where the units are not known."""
        shape, scale = self._shape_and_scale
        stock = torch.as_tensor(np.nan_to_num(units)).clamp(min=0)
        missed = shape * scale * torch.special.gammaincc(shape + 1, stock / scale)
        shortage = missed - stock * torch.special.gammaincc(shape, stock / scale)
        return np.where(np.isnan(units), np.nan, shortage.clamp(min=0).numpy())

    def quantile(self, level: Floats) -> Floats:
        """The units that demand stays under with probability `level`. (n,).

        Newton's method on log probability over log units, which is concave and rising: from below it climbs to the
        quantile without passing it. It begins at the cube of a normal quantile (Wilson and Hilferty 1931), or where
        the first term of the series, which is an upper bound of the probability, reaches the level.
        """
        shape, scale = self._shape_and_scale
        wanted = torch.as_tensor(level)
        lowest = ((wanted.log() + torch.lgamma(shape + 1)) / shape).clamp(min=SMALLEST_LOG)
        spread = 1 / (9 * shape)
        cube = (1 - spread + torch.special.ndtri(wanted) * spread.sqrt()).clamp(min=_TINY)
        log_units = torch.maximum(lowest, shape.log() + 3 * cube.log())
        for _ in range(NEWTON_STEPS):
            units = log_units.exp()
            below = torch.special.gammainc(shape, units)
            slope = (shape * log_units - units - torch.lgamma(shape)).exp() / below
            log_units = torch.maximum(lowest, log_units - (below.log() - wanted.log()) / slope)
        return (log_units.exp() * scale).numpy()


def weekly_variance(mean: Floats, p10: Floats, p90: Floats, p95: Floats) -> Floats:
    """Variance of one week's demand from its quantiles: the wider of the two spreads, at least that of a
    Poisson count. Same shape as `mean`; a NaN p95 is left out."""
    spread = np.fmax((p90 - p10) / (2 * Z_90), (p95 - mean) / Z_95)
    return np.maximum(np.maximum(spread, 0) ** 2, mean)


def share_of_demand(mean: Floats, variance: Floats, share: Floats) -> tuple[Floats, Floats]:
    """Mean and variance of the demand of one site, to which each unit of the whole goes with probability `share`:
    the site sees its share of what moves the whole, and the chance of who comes through its own door."""
    return share * mean, share**2 * variance + share * (1 - share) * mean


def demand_over(days: Floats, mean: Floats, variance: Floats, days_spread: Floats | float = 0.0) -> Demand:
    """Demand over the coming `days` (n,) from weekly means and variances (n, weeks); beyond the last week the
    average week goes on. `days_spread` is the standard deviation of the days themselves."""
    weeks = mean.shape[1]
    share = np.clip(days[:, None] - DAYS * np.arange(weeks), 0, DAYS) / DAYS
    share += np.maximum(days - DAYS * weeks, 0)[:, None] / (DAYS * weeks)
    daily = daily_mean(mean)
    return Demand(mean=(share * mean).sum(axis=1), variance=(share * variance).sum(axis=1) + (daily * days_spread) ** 2)


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How n products are replenished; NaN where there is no limit, or a cost is not known. `days_on_sale`: days until
    the product ends, after which nothing is needed. `is_selling_out`: what is left of it should go, so no rounding may
    add to it. `order_line_cost`: money; `unit_holding_cost`: money for a unit and day."""

    service_level: Floats
    review_days: Floats
    lead_time_days: Floats
    lead_time_spread: Floats
    maximum_cover_days: Floats
    minimum_order_units: Floats
    order_multiple_units: Floats
    days_on_sale: Floats
    order_line_cost: Floats
    unit_holding_cost: Floats
    is_selling_out: Flags


@dataclass(frozen=True, kw_only=True)
class Orders:
    """Units to order now, NaN without a position, and what shaped them; (n,) each."""

    units: Floats
    is_minimum: Flags
    is_multiple: Flags
    is_held_down: Flags


@dataclass(frozen=True, kw_only=True)
class Levels:
    """Position at which to order and position to order up to, in units, and the days for which an order lasts, at least
    the review period; (n,) each."""

    reorder_point: Floats
    order_up_to: Floats
    cycle_days: Floats
    is_capped: Flags


def order_levels(mean: Floats, variance: Floats, policy: Policy) -> Levels:
    """Reorder point: the demand quantile over the lead time. Order-up-to level: over lead time and review period, and
    at least the economic quantity above the reorder point; at most the demand of `maximum_cover_days`, at least the
    reorder point. A product that ends has no demand after its last day."""
    days_on_sale = np.nan_to_num(policy.days_on_sale, nan=UNLIMITED_DAYS)
    lead = demand_over(np.minimum(policy.lead_time_days, days_on_sale), mean, variance, policy.lead_time_spread)
    period = np.minimum(policy.lead_time_days + policy.review_days, days_on_sale)
    protected = demand_over(period, mean, variance, policy.lead_time_spread)
    reorder_point = lead.quantile(policy.service_level)
    economic_days = economic_cycle_days(mean, policy)
    remaining_days = np.maximum(days_on_sale - policy.lead_time_days, 0)
    economic_units = daily_mean(mean) * np.minimum(economic_days, remaining_days)
    order_up_to = np.maximum(protected.quantile(policy.service_level), reorder_point + economic_units)
    cover = demand_over(np.nan_to_num(policy.maximum_cover_days, nan=UNLIMITED_DAYS), mean, variance).mean
    is_capped = order_up_to > cover
    capped = np.where(is_capped, cover, order_up_to)
    return Levels(
        reorder_point=reorder_point,
        order_up_to=np.maximum(capped, reorder_point),
        cycle_days=np.maximum(policy.review_days, economic_days),
        is_capped=is_capped,
    )


def economic_cycle_days(mean: Floats, policy: Policy) -> Floats:
    """Days for which the economic order quantity lasts, (n,): ordering and holding then cost the same. 0 where a cost
    is not known or nothing sells, and no longer than `LONGEST_CYCLE_DAYS`, for which one forecast speaks."""
    daily = daily_mean(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.sqrt(2 * policy.order_line_cost / (policy.unit_holding_cost * daily))
    return np.where(np.isfinite(days), np.minimum(days, LONGEST_CYCLE_DAYS), 0.0)


def daily_mean(mean: Floats) -> Floats:
    """Units a day over the coming weeks, (n,), from weekly means (n, weeks)."""
    return mean.sum(axis=1) / (DAYS * mean.shape[1])


def order_units(position: Floats, levels: Levels, policy: Policy) -> Orders:
    """What to order now.

    Nothing while the position lies above the reorder point; else up to the level, whole units, not under
    the minimum and rounded up to the multiple. What is selling out is ordered in as many whole multiples as its
    level leaves room for, and nothing that would arrive after its last day or fall short of the minimum.
    """
    room = np.where(position <= levels.reorder_point, np.maximum(levels.order_up_to - position, 0.0), 0.0)
    minimum = np.nan_to_num(policy.minimum_order_units)
    multiple = np.where(policy.order_multiple_units > 0, policy.order_multiple_units, 1.0)
    needed = np.ceil(room - _TINY)
    wants = needed > 0
    at_least = np.maximum(needed, minimum)
    usual = np.where(wants, np.ceil(at_least / multiple - _TINY) * multiple, 0.0)
    within = np.floor(room / multiple + _TINY) * multiple
    is_in_time = np.isnan(policy.days_on_sale) | (policy.lead_time_days < policy.days_on_sale)
    units = np.where(policy.is_selling_out, np.where(is_in_time & (within >= minimum), within, 0.0), usual)
    is_held_down = units < usual
    return Orders(
        units=np.where(np.isnan(position), np.nan, units),
        is_minimum=wants & (needed < minimum) & ~is_held_down,
        is_multiple=wants & (usual > at_least + _TINY) & ~is_held_down,
        is_held_down=is_held_down,
    )


def days_until(position: Floats, level: Floats, mean: Floats) -> Floats:
    """Whole days until expected sales bring the position down to `level`, at the rate of the coming weeks;
    0 when it is there already, infinite without demand. (n,)."""
    daily = daily_mean(mean)
    with np.errstate(divide="ignore", invalid="ignore"):
        days = np.floor((position - level) / daily)
    return np.where(np.isnan(position), np.nan, np.maximum(np.where(daily > 0, days, np.inf), 0.0))
