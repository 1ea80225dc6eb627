"""What an experiment's variants did beside its control: differences of means over users, with 95% intervals.

Users were drawn at random, so a plain difference of means is unbiased, and Welch's interval allows each side its own
spread. Much of what users do in an experiment they did before: less theta x (before, less its mean) the difference
keeps its expectation and loses the part of its variance that the time before explains (CUPED; Deng, Xu, Kohavi and
Walker 2013). The lift as a share of the control's mean is a ratio of two means, whose interval comes from the delta
method.
Shapes: n comparisons.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

Z_95 = 1.959964
# Below so many users on a side a mean is not normal enough for an interval.
FEWEST_USERS = 30


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums over the users of one side, (n,) each: of what was counted, of the same before the experiment, of their
    squares and of their product."""

    users: Floats
    total: Floats
    squares: Floats
    before_total: Floats
    before_squares: Floats
    product: Floats

    @property
    def mean(self) -> Floats:
        """(n,) per user."""
        return self.total / self.users

    @property
    def before_mean(self) -> Floats:
        """(n,) per user, before the experiment."""
        return self.before_total / self.users

    def covariances(self) -> tuple[Floats, Floats, Floats]:
        """Variance, variance before, and covariance over users, (n,) each; NaN for a single user."""
        freedom = np.where(self.users > 1, self.users - 1, np.nan)
        return (
            (self.squares - self.total**2 / self.users) / freedom,
            (self.before_squares - self.before_total**2 / self.users) / freedom,
            (self.product - self.total * self.before_total / self.users) / freedom,
        )


@dataclass(frozen=True, kw_only=True)
class Lifts:
    """Variant less control per user, adjusted, and as a share of the control; each with its interval, NaN where there
    is none. `explained_ratio`: share of the variance that the time before explains. (n,) each."""

    lift: Floats
    lift_low: Floats
    lift_high: Floats
    lift_ratio: Floats
    lift_ratio_low: Floats
    lift_ratio_high: Floats
    explained_ratio: Floats


def lifts(variant: Moments, control: Moments) -> Lifts:
    """The lift of each variant over its control."""
    sides = (variant, control)
    variance, before, covariance = (
        np.stack(parts) for parts in zip(*(side.covariances() for side in sides), strict=True)
    )
    users = np.stack([side.users for side in sides])
    freedom = users - 1
    spread_before = (freedom * before).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        theta = np.where(spread_before > 0, (freedom * covariance).sum(axis=0) / spread_before, 0.0)
        # Both sides are moved to the mean that all of them had before.
        before_mean = np.stack([side.before_mean for side in sides])
        usual = (users * before_mean).sum(axis=0) / users.sum(axis=0)
        mean = np.stack([side.mean for side in sides]) - theta * (before_mean - usual)
        adjusted = np.maximum(variance + theta**2 * before - 2 * theta * covariance, 0)
        is_enough = (users >= FEWEST_USERS).all(axis=0)
        error = np.where(is_enough, Z_95 * np.sqrt((adjusted / users).sum(axis=0)), np.nan)
        level = np.where(mean[1] > 0, mean[1], np.nan)
        ratio = mean[0] / level
        ratio_variance = (adjusted[0] / users[0] + ratio**2 * adjusted[1] / users[1]) / level**2
        ratio_error = np.where(is_enough, Z_95 * np.sqrt(ratio_variance), np.nan)
        explained = 1 - (freedom * adjusted).sum(axis=0) / (freedom * variance).sum(axis=0)
    lift = mean[0] - mean[1]
    return Lifts(
        lift=lift,
        lift_low=lift - error,
        lift_high=lift + error,
        lift_ratio=ratio - 1,
        lift_ratio_low=ratio - 1 - ratio_error,
        lift_ratio_high=ratio - 1 + ratio_error,
        explained_ratio=np.clip(explained, 0, 1),
    )
