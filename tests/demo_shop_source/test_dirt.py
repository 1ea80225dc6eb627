"""Dirt on hand-made rows: what is planted is recorded, and no true row is lost."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import polars.selectors as cs
import pytest

from tests.landing import empty_warehouse
from warehouse.contracts import feed
from warehouse.ingest import load_feed
from warehouse.sources import open_source
from warehouse.sources.demo_shop.dirt import KINDS, SoiledDay, soil
from warehouse.sources.demo_shop.landing import land

DAY = date(2026, 3, 1)
ROWS = 4000
MOMENT = datetime(2026, 3, 1, 12)


def _rows() -> dict[str, pl.DataFrame]:
    number = pl.int_range(ROWS, eager=True)
    ids = pl.select(id=pl.format("k{}", number))["id"]
    return {
        "behaviour_events": pl.DataFrame({"event_id": ids, "event_type": "view_item", "event_at": MOMENT}),
        "orders": pl.DataFrame({"order_id": ids, "user_id": "u", "status": "placed", "ordered_at": MOMENT}),
        "order_lines": pl.DataFrame(
            {"order_line_id": ids, "order_id": "o", "product_id": "p", "quantity": 2, "shipped_at": MOMENT}
        ).with_columns(delivered_at=pl.when(number % 2 == 0).then(pl.col("shipped_at") + timedelta(days=1))),
        "service_tickets": pl.DataFrame(
            {"ticket_id": ids, "channel": "chat", "contact_reason": "refund", "priority": "high", "created_at": MOMENT}
        ),
        "sites": pl.DataFrame({"site_id": ["north"]}),
    }


@pytest.fixture(scope="module")
def soiled() -> SoiledDay:
    return soil(_rows(), DAY, 0.05, seed=1)


def test_every_kind_is_planted_and_recorded(soiled: SoiledDay) -> None:
    counts = soiled.planted.group_by("table_name", "kind", "broken_rule", "is_quarantined").len()
    kinds = {(kind.feed, kind.name, kind.rule, kind.is_quarantined) for kind in KINDS}
    assert {row[:-1] for row in counts.iter_rows()} == kinds
    assert counts["len"].min() > 10
    share = soiled.planted.group_by("table_name").len()["len"] / ROWS
    assert 0.03 < share.min() <= share.max() < 0.07


def test_no_true_row_is_lost(soiled: SoiledDay) -> None:
    for name, rows in _rows().items():
        keys = list(feed(name).key)
        landed = [soiled.today[name], *(feeds[name] for feeds in soiled.late.values() if name in feeds)]
        untouched = pl.concat([part.select(rows.columns).cast(pl.String) for part in landed], how="vertical")
        expected = rows.with_columns(cs.datetime().dt.to_string("iso")) if name == "service_tickets" else rows
        assert expected.cast(pl.String).join(untouched, on=rows.columns, how="anti", nulls_equal=True).is_empty(), keys


def test_late_rows_are_not_there_today_and_land_within_days(soiled: SoiledDay) -> None:
    assert set(soiled.late) == {DAY + timedelta(days=days) for days in (1, 2, 3, 4)}
    late = pl.concat(feeds["behaviour_events"] for feeds in soiled.late.values() if "behaviour_events" in feeds)
    assert late.join(soiled.today["behaviour_events"], on="event_id", how="semi").is_empty()
    recorded = soiled.planted.filter(kind="late")
    assert set(recorded["row_key"]) == {f'{{"event_id":"{key}"}}' for key in late["event_id"]}


def test_a_skewed_clock_is_right_again_the_next_day(soiled: SoiledDay) -> None:
    right = soiled.late[DAY + timedelta(days=1)]["order_lines"]
    both = soiled.today["order_lines"].join(right, on="order_line_id", suffix="_right")
    assert len(both) == len(right) > 0
    assert (both["delivered_at"] < both["shipped_at"]).all()
    assert (both["delivered_at_right"] > both["shipped_at_right"]).all()


def test_broken_copies_have_keys_of_their_own(soiled: SoiledDay) -> None:
    for name in ("orders", "order_lines", "service_tickets"):
        assert soiled.today[name][feed(name).key[0]].is_unique().all()
    again = soil(_rows(), DAY + timedelta(days=1), 0.05, seed=1)
    copies = [day.planted.filter(is_quarantined=True, table_name="orders")["row_key"] for day in (soiled, again)]
    assert not set(copies[0]) & set(copies[1])


def test_the_same_seed_gives_the_same_dirt(soiled: SoiledDay) -> None:
    same, other = soil(_rows(), DAY, 0.05, seed=1), soil(_rows(), DAY, 0.05, seed=2)
    assert same.planted.equals(soiled.planted)
    assert all(same.today[name].equals(rows) for name, rows in soiled.today.items())
    assert not other.planted.equals(soiled.planted)


def test_a_clean_shop_stays_clean() -> None:
    rows = _rows()
    clean = soil(rows, DAY, 0.0, seed=1)
    assert clean.planted.is_empty() and clean.late == {}
    assert all(clean.today[name].equals(rows[name]) for name in rows)


def test_days_with_few_or_no_rows_can_be_soiled() -> None:
    few = {name: rows.head(count) for count, (name, rows) in enumerate(_rows().items())}
    assert soil(few, DAY, 0.5, seed=3).today.keys() == few.keys()


def test_a_moment_that_no_clock_shows_is_set_aside_as_it_was(tmp_path: Path) -> None:
    soiled = soil(_rows(), DAY, 0.01, seed=1)
    land(tmp_path, {"service_tickets": soiled.today["service_tickets"]}, DAY)
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        load_feed(con, open_source(f"files:{tmp_path}"), feed("service_tickets"), "night")
        found = con.execute("select table_name, row_key, broken_rules from ops.quarantined_rows").fetchall()
        kept = con.execute("select distinct created_at from raw.service_tickets").fetchall()
    expected = soiled.planted.filter(kind="unreadable").select("table_name", "row_key", "broken_rule").rows()
    assert sorted(found) == sorted(expected) != []
    assert kept == [(MOMENT,)]
