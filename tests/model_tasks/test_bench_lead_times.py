"""The contest of the lead times: which lines are judged and learned from, what the measures say of known answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from subprocess import CompletedProcess

import duckdb
import numpy as np
import polars as pl
import pytest
from quality import fits
from quality.contests import play
from quality.goals import goals_of
from quality.lead_times import SEEN_DAYS, design_of, lead_time_contest, pinball, read_lines

START, END = date(2024, 3, 1), date(2024, 3, 29)
PLANNED = 5

SHOP = f"""
create schema raw; create schema staging; create schema features; create schema samples;
create macro staging.business_date(moment) as cast(moment as date);
create table features.cutoffs as
select * from (values (date '{START}', 'test'), (date '{END}', 'serve')) as c (cutoff_date, fold);
create table samples.demand as select date '{START}' as cutoff_date, 'test' as fold;
create table features.lead_times as
select 'slow' as supplier_id, date '{START}' as cutoff_date, 1::double as late_days_p50, 20::double as late_days_p90;
create table raw.supplier_products as
select 'slow' as supplier_id, 'p1' as product_id, {PLANNED} as planned_lead_time_days;
create table raw.purchase_order_lines (
    purchase_order_line_id varchar, supplier_id varchar, product_id varchar, ship_to_site_id varchar,
    ordered_at timestamp, received_at timestamp, expected_delivery_date date, quantity_submitted double,
    unit_cost double
);
"""


@pytest.fixture
def shop() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as con:
        con.execute(SHOP)
        yield con


def order(con: duckdb.DuckDBPyConnection, name: str, day: date, late: int | None, promised: bool = True) -> None:
    """A line of the slow supplier; without a promise of its own, what is agreed for the product holds."""
    due = day + timedelta(PLANNED)
    received = None if late is None else due + timedelta(late)
    line = [name, "slow", "p1", "s1", day, received, due if promised else None, 3, 1.5]
    con.execute("insert into raw.purchase_order_lines values ($1, $2, $3, $4, $5, $6, $7, $8, $9)", line)


def past(con: duckdb.DuckDBPyConnection) -> None:
    """Lines received before the window, 0 to 4 days late, in both folds that are learned from."""
    for late in range(5):
        order(con, f"early {late}", START - timedelta(60), late)
        order(con, f"recent {late}", START - timedelta(20), late)


def test_the_lines_judged_are_those_that_anybody_could_see_for_the_same_time(shop: duckdb.DuckDBPyConnection) -> None:
    past(shop)
    last = END - timedelta(PLANNED + SEEN_DAYS)
    order(shop, "came", START, 2, promised=False)
    order(shop, "came late", START, SEEN_DAYS + 3)
    order(shop, "open", last, None)
    order(shop, "too young to judge, though it came", last + timedelta(1), 0)
    order(shop, "ordered before, came within", START - timedelta(3), 1)
    rows = read_lines(shop)
    assert rows["test"]["label_late_days"].to_list() == [2, SEEN_DAYS, SEEN_DAYS]
    assert [len(rows[fold]) for fold in ("train", "validation")] == [5, 5], "nothing that came in the window"
    assert rows["test"]["plain_p50"].unique().to_list() == [2]
    assert rows["test"]["plain_p90"].unique().to_list() == [4]


def test_lightgbm_sees_nothing_that_was_learned_after_the_order(shop: duckdb.DuckDBPyConnection) -> None:
    past(shop)
    order(shop, "came", START, 2)
    design = design_of(read_lines(shop))
    assert {"supplier_id", "product_id", "planned_days", "units", "weekday", "day_of_year"} <= set(design.names)
    assert not [name for name in design.names if "late" in name or "plain" in name or name == "fold"]
    assert [design.names[i] for i in design.categories] == ["supplier_id", "product_id", "site_id"]


def three_days(command: list[str], **_: object) -> CompletedProcess:
    """A peer that says 3 days of every row at both levels."""
    folder = Path(command[-1])
    for i in range(2):
        np.save(folder / f"predicted_{i}.npy", np.full(len(np.load(folder / "test.npy")), 3.0))
    return CompletedProcess(command, 0, '{"cpu_s": 2.0}', "")


def test_every_contender_is_measured_on_the_same_lines(
    shop: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fits.subprocess, "run", three_days)
    past(shop)
    for late in (1, 3, None, 5):
        order(shop, f"judged {late}", START, late)
    contest = lead_time_contest(shop, "python")
    assert contest is not None
    lines = {line.measure: line for line in play(shop, contest, goals_of("demo_shop:tiny"), 5)}
    # Days late: 1, 3, 10 (open) and 5; ours says 1 and 20 (10 within sight), the plain quantiles are 2 and 4.
    half = lines["late_days pinball_p50"]
    assert half.value == pytest.approx((0 + 2 + 9 + 4) / 2 / 4)
    assert half.peers["LightGBM"] == pytest.approx((2 + 0 + 7 + 2) / 2 / 4) and half.peer == "LightGBM"
    most = lines["late_days pinball_p90"]
    assert most.value == pytest.approx((9 + 7 + 0 + 5) * 0.1 / 4)
    assert most.peers["naive: received lines of the supplier"] == pytest.approx((0.3 + 0.1 + 5.4 + 0.9) / 4)
    covered = lines["late_days coverage_p90"]
    assert covered.value == pytest.approx(3 / 4), "what did not come within sight is never covered"
    assert covered.peers["LightGBM"] == pytest.approx(1.5 / 4), "the third day counts half"
    assert half.half_width == 0, "a single supplier, drawn again and again"


def test_the_difference_is_drawn_by_supplier(shop: duckdb.DuckDBPyConnection) -> None:
    past(shop)
    order(shop, "judged", START, 1)
    contest = lead_time_contest(shop, None)
    assert contest is not None and not contest.peers
    twice = np.array([0, 0, 1, 1, 1])

    def rows(values: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        return {name: np.where(twice, 4.0, 1.0) for name in values}

    ours = contest.ours
    ours = replace(ours, targets=rows(ours.targets), baselines=rows(ours.baselines), predicted=rows(ours.predicted))
    sizes = {
        tuple(np.unique(again.targets["late_days"], return_counts=True)[1])
        for again in replace(contest, entities=twice).redrawn(shop, ours, 30)
    }
    assert sizes == {(4,), (6,), (2, 3)}


def test_a_shop_without_purchase_orders_has_no_such_contest(shop: duckdb.DuckDBPyConnection) -> None:
    assert lead_time_contest(shop, None) is None


def test_the_quantile_has_the_smallest_loss() -> None:
    days = np.random.default_rng(0).exponential(size=5000)
    named = pl.Series(np.linspace(0, 4, 81))
    losses = [pinball(days, np.full(len(days), quantile), 0.9) for quantile in named]
    assert named[int(np.argmin(losses))] == pytest.approx(np.quantile(days, 0.9), abs=0.05)
