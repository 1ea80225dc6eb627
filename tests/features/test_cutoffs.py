"""Which days a night looks from, and what for."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import MakeNight, add_order, read


def test_cutoffs_of_a_year(built_shop: duckdb.DuckDBPyConnection) -> None:
    cutoffs = read(
        built_shop, "select fold, list(cutoff_date order by cutoff_date desc) from features.cutoffs group by fold"
    )
    by_fold = dict(cutoffs)
    assert by_fold["serve"] == [date(2024, 10, 14)]
    assert by_fold["test"] == [date(2024, 9, 16)]
    assert by_fold["validation"] == [date(2024, 8, 19)]
    # Every 28 days, down to 70 days after the first order of 1 January.
    assert by_fold["train"] == [
        date(2024, 7, 22), date(2024, 6, 24), date(2024, 5, 27), date(2024, 4, 29), date(2024, 4, 1),
    ]  # fmt: skip
    # The fortnights between.
    assert by_fold["train_demand"] == [
        date(2024, 7, 8), date(2024, 6, 10), date(2024, 5, 13), date(2024, 4, 15), date(2024, 3, 18),
    ]  # fmt: skip


@pytest.mark.parametrize(
    "table", ["profile", "recommendation", "demand", "promotion", "service_orders", "service_days"]
)
def test_training_labels_end_before_the_validation_window(built_shop: duckdb.DuckDBPyConnection, table: str) -> None:
    """So that what is measured later was in no label; a campaign's cut-off is its own first day."""
    if table == "promotion":
        window_end = (
            "(select cast(ends_at as date) from raw.campaigns where campaigns.campaign_id = promotion.campaign_id)"
        )
        measured_from = "date '2024-10-14' - 75"
    else:
        window_end, measured_from = "cutoff_date + 28", "date '2024-10-14' - 56"
    ((rows, last_end),) = read(
        built_shop, f"select count(*), max({window_end}) from samples.{table} where fold = 'train'"
    )
    assert rows > 0
    assert last_end <= read(built_shop, f"select {measured_from}")[0][0]


def test_labels_are_complete_or_absent(built_shop: duckdb.DuckDBPyConnection) -> None:
    for table, label in {
        "profile": "label_spend_28d",
        "recommendation": "label_bought_28d",
        "demand": "label_units",
        "promotion": "label_redeemed",
        "service_orders": "label_contacted",
        "service_days": "label_contacts",
    }.items():
        folds = dict(read(built_shop, f"select fold, count({label}) / count(*) from samples.{table} group by fold"))
        assert folds == {"serve": 0, "test": 1, "validation": 1, "train": 1}, table


def test_churn_is_learned_from_windows_of_ninety_days_that_are_over(built_shop: duckdb.DuckDBPyConnection) -> None:
    learned = read(
        built_shop, "select distinct cutoff_date from samples.profile where label_churns_90d is not null order by all"
    )
    # 90 days after these, the validation window of 19 August has not begun.
    assert learned == [(date(2024, 4, 1),), (date(2024, 4, 29),)]


def test_a_young_shop_has_fewer_folds(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """A quarter of its 110 days is what a cut-off must have before it."""
    for day in range(110):
        add_order(
            con, f"o{day}", f"u{day % 5}", str(date.fromordinal(date(2024, 1, 1).toordinal() + day)), ("p1", 1, 2.0)
        )
    build_features(con, make_night(date(2024, 4, 20)))
    assert read(con, "select fold, cutoff_date from features.cutoffs order by all") == [
        ("serve", date(2024, 4, 20)),
        ("test", date(2024, 3, 23)),
        ("validation", date(2024, 2, 24)),
    ]
    for table in ("profile", "demand"):
        folds = read(con, f"select distinct fold from samples.{table} order by all")
        assert folds == [("serve",), ("test",), ("validation",)]


def test_a_new_shop_is_served_without_training(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    add_order(con, "o1", "u1", "2024-04-18 10:00", ("p1", 1, 2.0))
    build_features(con, make_night(date(2024, 4, 20)))
    assert read(con, "select user_id, fold, base_spend_28d from samples.profile") == [
        ("u1", "serve", pytest.approx(2 / 3))
    ]
    assert read(con, "select count(*) from samples.demand") == [(0,)]
