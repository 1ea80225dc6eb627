"""By how much one way of training is better than another, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import norm, t

LEVEL = 0.95
Z = float(norm.ppf((1 + LEVEL) / 2))


@dataclass(frozen=True)
class Difference:
    """`mean` of some measure's gain with the half width of its 95% interval."""

    mean: float
    half: float

    @property
    def chance(self) -> float:
        """That luck alone makes as much."""
        return float(2 * norm.sf(abs(self.mean) / max(self.half, 1e-12) * Z))

    def __str__(self) -> str:
        return f"{self.mean:+.1%} ± {self.half:.1%}"


def gain(ours: Sequence[Mapping], theirs: Sequence[Mapping]) -> Difference:
    """The gain of one gate as a share of their value, above 0 where ours is better. Both by seed, in the same order.

    Entities: the spread over draws of the mean over seeds, for the draws are the same for all. Seeds: Student's t of
    the seeds' differences. The two are independent, so their variances add up.
    """
    sign = 1 if ours[0]["is_higher_better"] else -1
    scale = sign / abs(np.mean([gate["value"] for gate in theirs]))
    values, drawn = (
        [scale * (np.array(our[name]) - np.array(their[name])) for our, their in zip(ours, theirs, strict=True)]
        for name in ("value", "resampled")
    )
    of_entities = float(np.nanstd(np.mean(drawn, axis=0), ddof=1))
    return Difference(float(np.mean(values)), float(np.hypot(Z * of_entities, over_seeds(values).half)))


def over_seeds(values: Sequence[float]) -> Difference:
    """Their mean with its interval by Student's t; one seed says nothing about others."""
    if len(values) < 2:
        return Difference(float(np.mean(values)), 0.0)
    spread = np.std(values, ddof=1) / len(values) ** 0.5
    return Difference(float(np.mean(values)), float(spread * t.ppf((1 + LEVEL) / 2, len(values) - 1)))


def beyond_luck(differences: Mapping[str, Difference]) -> set[str]:
    """Names of those that are not luck when all are looked at together (Holm 1979)."""
    found: set[str] = set()
    for name, difference in sorted(differences.items(), key=lambda item: item[1].chance):
        if difference.chance > (1 - LEVEL) / (len(differences) - len(found)):
            break
        found.add(name)
    return found
