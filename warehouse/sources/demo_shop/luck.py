"""Luck by name: random numbers that belong to a day, a purpose and whom they befall.

Each number is a hash of (seed, day, purpose, ids) and of nothing that was drawn before it (a counter-based generator:
Salmon et al. 2011; the mixing function is SplitMix64's, Steele et al. 2014). So two shops that live by different
decisions meet the same luck (common random numbers), and a shop that is loaded needs no generator's state.
"""

from __future__ import annotations

from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from warehouse.sources.demo_shop.arrays import Floats, Ints

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Luck:
    """The luck of one day; `day` -1 is what people and products are born with."""

    def __init__(self, seed: int, day: int) -> None:
        self._name = f"{seed}/{day}"

    def uniform(self, purpose: str, *ids: Ints | int) -> Floats:
        """Numbers strictly between 0 and 1, in the shape that the ids broadcast to."""
        digest = blake2b(f"{self._name}/{purpose}".encode(), digest_size=8).digest()
        bits: NDArray[np.uint64] = np.array(int.from_bytes(digest, "little"), np.uint64)
        with np.errstate(over="ignore"):
            for each in ids:
                bits = _mix(bits ^ (np.asarray(each).astype(np.uint64) * _GOLDEN + _GOLDEN))
        return ((bits >> np.uint64(41)).astype(np.float32) + np.float32(0.5)) * np.float32(2**-23)

    def normal(self, purpose: str, *ids: Ints | int) -> Floats:
        """Standard normal numbers (Box and Muller 1958)."""
        radius = np.sqrt(-2 * np.log(self.uniform(f"{purpose}, radius", *ids)))
        return radius * np.cos(np.float32(2 * np.pi) * self.uniform(f"{purpose}, angle", *ids))

    def gumbel(self, purpose: str, *ids: Ints | int) -> Floats:
        """Standard Gumbel numbers: the noise of a logit choice."""
        return -np.log(-np.log(self.uniform(purpose, *ids)))

    def waiting(self, purpose: str, chance: Floats | float, *ids: Ints | int) -> Ints:
        """How often something with this chance fails before it happens (geometric, from 0)."""
        keeps_failing = np.log1p(-np.minimum(np.asarray(chance, np.float32), np.float32(0.999)))
        return np.floor(np.log(self.uniform(purpose, *ids)) / keeps_failing).astype(np.int32)


def _mix(bits: NDArray[np.uint64]) -> NDArray[np.uint64]:
    bits = (bits ^ (bits >> np.uint64(30))) * _FIRST
    bits = (bits ^ (bits >> np.uint64(27))) * _SECOND
    return bits ^ (bits >> np.uint64(31))
