"""A small dose of real life: rows that no system should write, and a record of each.

Dirt never costs a true row: what is broken is an additional copy, and what is held up or wrong by its clock comes right
a little later. So a night sets aside exactly what the record says.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
import polars as pl
import polars.selectors as cs

from warehouse.sources.demo_shop.landing import is_text


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One kind of dirt in one feed.

    `value` spoils the column of a copy under a new key; without one the row is written twice. Where `days_late` is not
    0 no copy is made: the row itself lands up to so many days later, and until then its spoiled version, if there is
    a `value`. `rule` is the rule of the contract that is broken, '' where there is none.
    """

    name: str
    feed: str
    rule: str = ""
    column: str = ""
    value: pl.Expr | None = None
    days_late: int = 0

    @property
    def is_quarantined(self) -> bool:
        """Whether a row of the kind never gets beyond the validation."""
        return self.days_late == 0


KINDS = (
    Kind(name="late", feed="behaviour_events", days_late=4),
    Kind(name="duplicated", feed="behaviour_events", rule="key_unique"),
    Kind(name="missing", feed="behaviour_events", rule="event_at_present", column="event_at", value=pl.lit(None)),
    Kind(name="unknown", feed="behaviour_events", rule="event_type_known", column="event_type", value=pl.lit("tap")),
    Kind(name="missing", feed="orders", rule="user_id_present", column="user_id", value=pl.lit(None)),
    Kind(name="unknown", feed="orders", rule="status_known", column="status", value=pl.lit("shiped")),
    Kind(name="missing", feed="order_lines", rule="product_id_present", column="product_id", value=pl.lit(None)),
    Kind(name="negative", feed="order_lines", rule="quantity_in_range", column="quantity", value=-pl.col("quantity")),
    Kind(
        name="skewed",
        feed="order_lines",
        rule="delivered_at_not_before_shipped_at",
        column="delivered_at",
        value=pl.col("shipped_at") - pl.duration(hours=1),
        days_late=1,
    ),
    Kind(name="unknown", feed="service_tickets", rule="priority_known", column="priority", value=pl.lit("asap")),
    Kind(
        name="unreadable",
        feed="service_tickets",
        rule="created_at_parses",
        column="created_at",
        value=pl.lit("31.02.2026 25:61"),
    ),
)
_RECORD = {
    "table_name": pl.String,
    "row_key": pl.String,
    "user_id": pl.String,
    "kind": pl.String,
    "broken_rule": pl.String,
    "is_quarantined": pl.Boolean,
    "planted_date": pl.Date,
}
_KEYS = {
    "behaviour_events": "event_id",
    "orders": "order_id",
    "order_lines": "order_line_id",
    "service_tickets": "ticket_id",
}


@dataclass(frozen=True, kw_only=True)
class SoiledDay:
    """A day as it lands: feed -> rows `today`; landing day -> feed -> rows that are `late`; and the record `planted`
    (table_name, row_key, user_id, kind, broken_rule, is_quarantined, planted_date) with a row for each row of dirt."""

    today: dict[str, pl.DataFrame]
    late: dict[date, dict[str, pl.DataFrame]]
    planted: pl.DataFrame


def soil(feeds: Mapping[str, pl.DataFrame], day: date, ratio: float, seed: int) -> SoiledDay:
    """Plant dirt on the given share of the rows of every feed that has a kind of it. Same arguments, same dirt."""
    soiled = SoiledDay(today=dict(feeds), late={}, planted=pl.DataFrame(schema=_RECORD))
    for feed in [feed for feed in _KEYS if feed in feeds]:
        soiled = _soil_feed(soiled, feed, day, ratio, np.random.default_rng([seed, day.toordinal(), _number(feed)]))
    return soiled


def _soil_feed(clean: SoiledDay, feed: str, day: date, ratio: float, draw: np.random.Generator) -> SoiledDay:
    """The day with dirt in one more feed."""
    rows, key = clean.today[feed], _KEYS[feed]
    kinds = [kind for kind in KINDS if kind.feed == feed]
    kind_of_row = _kind_of_row(rows, kinds, ratio, draw)
    if (kind_of_row < 0).all():
        return clean
    if is_text(feed):
        rows = rows.with_columns(cs.temporal().dt.to_string("iso"))
    stays = ~np.isin(kind_of_row, [number for number, kind in enumerate(kinds) if kind.days_late])
    today, late, planted = [rows.filter(stays)], dict(clean.late), [clean.planted]
    for number in np.unique(kind_of_row[kind_of_row >= 0]):
        kind, hit = kinds[number], rows.filter(kind_of_row == number)
        spoiled = _spoiled(kind, hit, key, day)
        today.append(spoiled)
        planted.append(_record(kind, hit if spoiled.is_empty() else spoiled, day))
        if kind.days_late:
            delay = draw.integers(1, kind.days_late + 1, len(hit))
            for days in np.unique(delay).tolist():
                landing_day = day + timedelta(days=days)
                late[landing_day] = late.get(landing_day, {}) | {feed: hit.filter(delay == days)}
    return SoiledDay(today=clean.today | {feed: pl.concat(today)}, late=late, planted=pl.concat(planted))


def _kind_of_row(rows: pl.DataFrame, kinds: Sequence[Kind], ratio: float, draw: np.random.Generator) -> np.ndarray:
    """[row]: the number of the kind of dirt that hits the row, -1 for most; a value that is not there stays clean."""
    kind_of_row = np.full(len(rows), -1)
    hit = draw.choice(len(rows), draw.binomial(len(rows), ratio), replace=False)
    kind_of_row[hit] = draw.integers(0, len(kinds), len(hit))
    for number, kind in enumerate(kinds):
        if kind.column:
            kind_of_row[(kind_of_row == number) & rows[kind.column].is_null().to_numpy()] = -1
    return kind_of_row


def _spoiled(kind: Kind, hit: pl.DataFrame, key: str, day: date) -> pl.DataFrame:
    """What lands today of the rows that the kind hits."""
    if kind.value is None:
        return hit.clear() if kind.days_late else hit
    spoiled = hit.with_columns(kind.value.cast(hit.schema[kind.column]).alias(kind.column))
    # A copy needs a key of its own, or it would replace the true row, or an earlier copy of it.
    return spoiled if kind.days_late else spoiled.with_columns(pl.format(f"{{}}-{kind.name}-{day:%Y%m%d}", key))


def _record(kind: Kind, rows: pl.DataFrame, day: date) -> pl.DataFrame:
    """One row of the record per row of dirt; `row_key` is written as in `ops.quarantined_rows`, and `user_id` says
    whose row it is where it says so: what is known of somebody who is erased leaves quarantine too."""
    key = _KEYS[kind.feed]
    return rows.select(
        table_name=pl.lit(kind.feed),
        row_key=pl.concat_str(pl.lit(f'{{"{key}":"'), key, pl.lit('"}')),
        user_id=pl.col("user_id") if "user_id" in rows.columns else pl.lit(None, pl.String),
        kind=pl.lit(kind.name),
        broken_rule=pl.lit(kind.rule),
        is_quarantined=pl.lit(kind.is_quarantined),
        planted_date=pl.lit(day),
    )


def _number(name: str) -> int:
    """A number for a name, the same in every process."""
    return zlib.crc32(name.encode())
