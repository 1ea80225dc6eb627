"""What somebody decided for the shop's next day: every part may be left to the shop's own habits."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields

import polars as pl

EVERYONE = "everyone"
ALL_SITES = "all"
POOLED = "pooled"

# Part -> its columns; the types are cast, so that a published table may be handed over as it is.
COLUMNS: dict[str, dict[str, pl.DataType]] = {
    "prices": {"product_id": pl.String(), "price": pl.Float64()},
    "lists": {"user_id": pl.String(), "rank": pl.Int64(), "product_id": pl.String()},
    "orders": {"product_id": pl.String(), "site_id": pl.String(), "units": pl.Int64()},
    "offers": {"user_id": pl.String(), "campaign_id": pl.String()},
    "agents": {"channel": pl.String(), "agents": pl.Int64()},
    "messages": {"order_id": pl.String()},
}


class DecisionError(ValueError):
    """A decision that the shop cannot carry out; the message names the part, the value and the remedy."""


@dataclass(frozen=True, kw_only=True)
class Decisions:
    """Decisions for one day. None leaves a part to the shop's own habit; an empty frame decides that nothing is done.

    `prices` (product_id, price): the shelf price of today. On days without a decision a product keeps the ratio
        to its habitual price that was last decided, so that an announced promotion keeps its depth.
    `lists` (user_id, rank, product_id): what is shown, first rank 1; a visitor sees the first eight ranks. The rows of
        the user 'everyone' serve whoever has no list of their own: up to forty, of which pages of eight take turns;
        without such rows they are the best-sellers. A user's list stays until the next one.
    `orders` (product_id, site_id, units): ordered from the product's supplier this morning; the site 'all' is split
        over the sites in proportion to their sales. Minimum and multiple of the supplier are rounded up to.
    `offers` (user_id, campaign_id): who gets the coupon of a running campaign, besides those who have it already;
        the shop's own targets are not written to. Users without consent are left out, and counted in the ledger.
    `agents` (channel, agents): agents of each channel for today, or one row 'pooled' for a common queue.
    `messages` (order_id): open orders whose customers are told in advance how their parcel stands.

    DecisionError when a part lacks a column, repeats a key or has a value that cannot be (a price of 0).
    """

    prices: pl.DataFrame | None = None
    lists: pl.DataFrame | None = None
    orders: pl.DataFrame | None = None
    offers: pl.DataFrame | None = None
    agents: pl.DataFrame | None = None
    messages: pl.DataFrame | None = None

    def __post_init__(self) -> None:
        for part in fields(self):
            rows = getattr(self, part.name)
            if rows is not None:
                object.__setattr__(self, part.name, _checked(part.name, rows))


_KEYS = {
    "prices": ["product_id"],
    "lists": ["user_id", "rank"],
    "orders": ["product_id", "site_id"],
    "offers": ["user_id", "campaign_id"],
    "agents": ["channel"],
    "messages": ["order_id"],
}
_POSITIVE = {"prices": ("price", 0.005), "lists": ("rank", 1), "orders": ("units", 0), "agents": ("agents", 0)}


def _checked(part: str, rows: pl.DataFrame) -> pl.DataFrame:
    """The part's columns in their types; DecisionError says what is wrong."""
    columns = COLUMNS[part]
    missing = [name for name in columns if name not in rows.columns]
    if missing:
        raise DecisionError(f"Decisions.{part} lacks the column {missing[0]}. Remedy: give {', '.join(columns)}.")
    typed = rows.select(pl.col(name).cast(kind) for name, kind in columns.items())
    empty = [name for name in columns if typed[name].null_count()]
    if empty:
        raise DecisionError(f"Decisions.{part} has rows without {empty[0]}. Remedy: leave those rows out.")
    repeated = typed.filter(pl.struct(_KEYS[part]).is_duplicated())
    if len(repeated):
        raise DecisionError(f"Decisions.{part} has {repeated.row(0)} twice or more. Remedy: decide once.")
    if part in _POSITIVE:
        name, least = _POSITIVE[part]
        low = typed.filter(~(pl.col(name) >= least))
        if len(low):
            raise DecisionError(f"Decisions.{part} has {low.row(0)}: {name} is less than {least}. Remedy: raise it.")
    return typed


def refuse_unknown(part: str, column: str, values: Collection[str]) -> None:
    """DecisionError when there are values that name nothing in the shop."""
    if values:
        example = sorted(values)[0]
        raise DecisionError(
            f"Decisions.{part} names the {column} {example!r}, which the shop does not know today "
            f"({len(values)} such values). Remedy: decide on what the feeds of the day before show."
        )
