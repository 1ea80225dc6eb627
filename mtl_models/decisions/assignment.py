"""Who is in which group: a number between 0 and 1 for each user, by a hash and nothing else.

A shop's own systems find out without asking anybody: the first 13 hexadecimal digits of SHA-256 of `salt:user_id`, over
2^52. `warehouse/views/10_user_groups.sql` has the same in SQL.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

_DIGITS = 13


def assignment_point(salt: str, user_id: str) -> float:
    """Where the user stands in [0, 1): uniform over users, and independent between salts."""
    digest = hashlib.sha256(f"{salt}:{user_id}".encode()).hexdigest()
    return int(digest[:_DIGITS], 16) / 16**_DIGITS


def variant_of(salt: str, user_id: str, shares: Sequence[tuple[str, float]]) -> str | None:
    """The variant of the user, of (variant, share) in the order of the settings; None for the rest of the shares."""
    point, end = assignment_point(salt, user_id), 0.0
    for variant, share in shares:
        end = round(end + share, 12)
        if point < end:
            return variant
    return None
