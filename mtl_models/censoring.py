"""Sales at an empty shelf are less than demand: what they still say.

A week in which the product was available for the share `a` of the demand, and sold `y`, is taken for exposure:
y ~ count with mean a * demand. Then y / a observes the demand with weight a, and for a Poisson count exactly so:

    deviance(y, a mu) = a * deviance(y / a, mu)
"""

from __future__ import annotations

from torch import Tensor, nan, where

from mtl_models.samples import TaskSamples

# What so small a share of a week sold says nothing about the rest.
LEAST_AVAILABLE_RATIO = 0.25


def observed_demand(rows: TaskSamples) -> tuple[Tensor, Tensor]:
    """[n] units that a week with stock all the time would have sold, NaN where that is not known, and [n] weights:
    the share of the week that they rest on."""
    ratio = rows.targets["available_ratio"]
    is_enough = ratio >= LEAST_AVAILABLE_RATIO
    return where(is_enough, rows.targets["units"] / ratio, nan), where(is_enough, ratio, 0.0)
