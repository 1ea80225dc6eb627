"""Which rows of a large sample table are read at once, so that memory does not grow with the shop.

Rows are chosen by their owner, all of an owner's or none, so that lists stay whole; and by a hash, so that the same
night twice chooses the same. A choice is a predicate for `read_frames(only=)`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from warehouse.contracts.table import literal

# Whose the rows of a table are. Those of service_days are as many in any shop.
OWNERS = {
    "profile": "user_id",
    "recommendation": "user_id",
    "product_quality": "product_id",
    "demand": "product_id",
    "promotion": "user_id",
    "service_orders": "order_id",
    "service_tickets": "ticket_id",
}


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The rows that stand for all: `only` has a predicate for each table that is not read whole. `shares` says of each
    of its folds one in how many owners is read, and the rows of all, where that is why."""

    only: dict[str, str] = field(default_factory=dict)
    shares: dict[str, dict[str, tuple[int, int]]] = field(default_factory=dict)

    def __str__(self) -> str:
        """Such as `1 in 3 users of 2,812,345 train rows of recommendation`; empty where all rows are read."""
        return ", ".join(
            f"1 in {share} {OWNERS[table].removesuffix('_id')}s of {rows:,} {fold} rows of {table}"
            for table, shares in self.shares.items()
            for fold, (share, rows) in shares.items()
            if share > 1
        )


def choose(counts: Mapping[str, Mapping[str, int]], folds: Sequence[str], most: int) -> Choice:
    """About `most` rows of each fold at most, given {table: {fold: rows}}; folds with fewer are read whole."""
    shares = {
        table: {fold: (one_in(rows.get(fold, 0), most), rows.get(fold, 0)) for fold in folds}
        for table, rows in counts.items()
        if table in OWNERS and max(rows.get(fold, 0) for fold in folds) > most
    }
    return Choice(only={table: _predicate(table, of_fold) for table, of_fold in shares.items()}, shares=shares)


def one_in(rows: int, wanted: int) -> int:
    """One in how many owners has about so many of the rows."""
    return max(-(-rows // wanted), 1)


def sampled(table: str, share: int) -> str:
    """The predicate of the rows of one in `share` owners."""
    return f"hash({OWNERS[table]}) % {share} = 0" if share > 1 else "true"


def parts(table: str, rows: int, most: int) -> list[str]:
    """Predicates that have each row of the table once between them, about `most` rows each."""
    count = one_in(rows, most) if table in OWNERS else 1
    return [f"hash({OWNERS[table]}) % {count} = {number}" for number in range(count)] if count > 1 else ["true"]


def _predicate(table: str, shares: Mapping[str, tuple[int, int]]) -> str:
    """Of several folds, each its own share; of one, a predicate of the owner alone."""
    parts = {fold: sampled(table, share) for fold, (share, _) in shares.items()}
    if len(parts) == 1:
        return next(iter(parts.values()))
    return " and ".join(f"(fold <> {literal(fold)} or {part})" for fold, part in parts.items())
