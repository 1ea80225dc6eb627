"""Who is in which group: a number between 0 and 1 for each user, by a hash and nothing else.

A shop's own systems find out without asking anybody: the first 13 hexadecimal digits of SHA-256 of `salt:user_id`, over
2^52. `warehouse/views/10_user_groups.sql` has the same in SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from itertools import accumulate

_DIGITS = 13


def assignment_point(salt: str, user_id: str) -> float:
    """Where the user stands in [0, 1): uniform over users, and independent between salts."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) / 16**_DIGITS


def parts(shares: Sequence[float]) -> list[tuple[float, float]]:
    """The part of [0, 1) of each share, one after the other: its first point and the first one after it."""
    # Rounded, so that shares which add up to 1 leave nobody out.
    ends = [round(end, 12) for end in accumulate(shares)]
    return list(zip([0.0, *ends[:-1]], ends, strict=True))


def variant_of(salt: str, user_id: str, shares: Mapping[str, float]) -> str | None:
    """The variant of the user, from the share of each in the order of the settings; None in the rest of the shares."""
    point = assignment_point(salt, user_id)
    for variant, (low, high) in zip(shares, parts(list(shares.values())), strict=True):
        if low <= point < high:
            return variant
    return None
