"""Predictions held against a shop whose truth is known."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import duckdb
import pytest

from tasks.outcomes.score import score_nights
from tests.features.rows import AS_OF
from tests.outcomes.conftest import EARLIER, night_of, release

Connection = duckdb.DuckDBPyConnection

# What the users did in the window, told by the feeds themselves.
TRUTH = """
insert into kept.user_profiles by name
select
    $run_id as run_id,
    $as_of as as_of_date,
    false as is_fallback,
    user_id,
    coalesce(spend, 0) as expected_revenue_28d,
    expected_revenue_28d as expected_revenue_28d_p50,
    2 * expected_revenue_28d as expected_revenue_28d_p90,
    (spend is not null)::double as order_probability_28d,
    0.5 as order_probability_7d,
    0.1 as churn_probability_90d,
    10.0 as base_spend_28d,
    0.5 as base_buys_28d,
    0.5 as base_buys_7d
from raw.users
left join (
    select user_id, sum(quantity * sold_price)::double as spend
    from raw.orders join raw.order_lines using (order_id)
    where ordered_at >= $as_of and ordered_at < $as_of + interval 28 day and user_id <> 'u1'
    group by user_id
) using (user_id)
where user_id <> 'u1'
"""


def foretell_truth(con: Connection, run_id: str = "earlier", as_of: date = EARLIER) -> None:
    con.execute(TRUTH, {"run_id": run_id, "as_of": as_of})
    release(con, run_id, as_of)


def outcomes(con: Connection, where: str = "true") -> dict[tuple[str, str, str], dict[str, Any]]:
    rows = con.sql(f"from ops.outcomes where {where} order by all").pl().to_dicts()
    return {(row["run_id"], row["task"], row["metric"]): row for row in rows}


def test_a_home_without_earlier_nights_has_nothing_to_score(shop: Connection) -> None:
    assert score_nights(shop, night_of()) == 0 and outcomes(shop) == {}


def test_perfect_predictions_score_perfectly(shop: Connection) -> None:
    foretell_truth(shop)
    assert score_nights(shop, night_of()) == 1
    found = {key[1:]: row for key, row in outcomes(shop, "head = 'profile'").items()}
    assert found["spend_28d", "mae"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["spend_28d", "bias_percent"]["value"] == pytest.approx(0, abs=1e-9)
    assert found["spend_28d", "decile_gini"]["value"] == pytest.approx(1)
    assert found["buys_28d", "brier"]["value"] == 0 and found["buys_28d", "calibration_error"]["value"] == 0
    rate, revenue = found["buys_28d", "rate"], found["spend_28d", "revenue"]
    assert rate["value"] == pytest.approx(rate["promised_value"]) and rate["promise"] == "published"
    assert revenue["value"] == pytest.approx(revenue["promised_value"]) and revenue["value"] > 0
    assert revenue["baseline_value"] == 230  # 23 users at 10
    mae = found["spend_28d", "mae"]
    assert (mae["sample_count"], mae["is_mature"], mae["observed_days"], mae["horizon_days"]) == (23, True, 28, 28)
    assert mae["window_end"] == EARLIER + timedelta(days=28) and mae["known_until"] == AS_OF


def test_what_is_not_over_says_how_far_it_is(shop: Connection) -> None:
    foretell_truth(shop, as_of=AS_OF - timedelta(days=10))
    score_nights(shop, night_of())
    found = {key[1:]: row for key, row in outcomes(shop).items()}
    spend, churn, week = found["spend_28d", "mae"], found["churns_90d", "auc"], found["buys_7d", "brier"]
    assert (spend["value"], spend["is_mature"], spend["observed_days"]) == (None, False, 10)
    assert (churn["value"], churn["is_mature"], churn["horizon_days"]) == (None, False, 90)
    assert week["is_mature"] and week["value"] == pytest.approx(0.25)


def test_only_released_nights_of_earlier_days_are_scored(shop: Connection) -> None:
    shop.execute(TRUTH, {"run_id": "stopped", "as_of": EARLIER})
    foretell_truth(shop, "same-day", AS_OF)
    assert score_nights(shop, night_of()) == 0


def test_scoring_twice_changes_nothing(shop: Connection) -> None:
    foretell_truth(shop)
    score_nights(shop, night_of())
    first = outcomes(shop)
    score_nights(shop, night_of())
    assert outcomes(shop) == first and len(first) > 10


def test_a_night_of_an_earlier_day_leaves_alone_what_is_known_better(shop: Connection) -> None:
    foretell_truth(shop)
    score_nights(shop, night_of())
    shop.execute("update ops.outcomes set known_until = known_until + 1, value = 42")
    score_nights(shop, night_of())
    assert {row["value"] for row in outcomes(shop, "is_mature").values()} == {42}


def test_late_data_is_scored_weekly_until_it_is_too_late(shop: Connection) -> None:
    foretell_truth(shop)
    found = ("earlier", "spend_28d", "mae")
    late = "insert into staging.order_lines select 'u0', 'p0', $1, 1, 1000, true"
    shop.execute("create temp table before_late as from staging.order_lines")
    try:
        # The window ended a week ago.
        score_nights(shop, night_of())
        shop.execute(late, [EARLIER])
        for known_days_ago, late_days, is_scored in (
            (0, 14, True),
            (1, 14, False),
            (7, 14, True),
            (1, 7, True),
            (1, 6, False),
        ):
            shop.execute(
                "update ops.outcomes set value = 42, known_until = $1", [AS_OF - timedelta(days=known_days_ago)]
            )
            score_nights(shop, night_of(late_days=late_days))
            assert outcomes(shop)[found]["value"] == (pytest.approx(1000 / 23) if is_scored else 42)
    finally:
        shop.execute("create or replace table staging.order_lines as from before_late; drop table before_late")


def test_nothing_of_the_future_counts(shop: Connection) -> None:
    # The feeds go on for a month: of the four weeks foretold two days before as-of, nothing is known but two days.
    release(shop, "late", AS_OF - timedelta(days=2))
    shop.execute(
        """insert into kept.service_forecasts by name
        select 'late' as run_id, $1 as as_of_date, false as is_fallback, $1 + day::integer as forecast_date,
            'email' as channel, 'late' as contact_reason, 1.0 as contacts_mean, 0.0 as contacts_p10,
            1.0 as contacts_p50, 2.0 as contacts_p90, 1.0 as workload_hours, 1.0 as base_contacts
        from range(28) as days (day)""",
        [AS_OF - timedelta(days=2)],
    )
    score_nights(shop, night_of())
    contacts = outcomes(shop)["late", "contacts", "contacts"]
    expected = shop.execute(
        "select count(*) from raw.service_tickets where channel = 'email' and created_at >= $1 and created_at < $2",
        [AS_OF - timedelta(days=2), AS_OF],
    ).fetchall()[0][0]
    assert (contacts["value"], contacts["promised_value"], contacts["sample_count"]) == (expected, 2, 2)
    assert (contacts["observed_days"], contacts["is_mature"]) == (2, False)


def test_a_night_that_was_taken_back_is_scored_and_marked(shop: Connection) -> None:
    foretell_truth(shop, "first", EARLIER - timedelta(days=1))
    foretell_truth(shop, "second")
    release(shop, "first", EARLIER - timedelta(days=1), "rollback")
    score_nights(shop, night_of())
    marks = {row["run_id"]: row["is_rolled_back"] for row in outcomes(shop).values()}
    assert marks == {"first": False, "second": True}
    # A backfill shows readers their later day again: that takes nothing back. Nor is the night still back once shown.
    release(shop, "second", EARLIER, "rollback")
    score_nights(shop, night_of())
    assert not any(row["is_rolled_back"] for row in outcomes(shop).values())


def test_the_promise_is_the_gate_s_of_the_model_that_served(shop: Connection) -> None:
    foretell_truth(shop)
    shop.execute(
        """insert into ops.model_metrics by name select 'earlier' as run_id, 'profile' as head, 'spend_28d' as task,
            'mae' as metric, 3.0 as value, 4.0 as champion_value, true as is_gate"""
    )
    shop.execute(
        "insert into ops.head_status by name select 'earlier' as run_id, 'profile' as head, 'released' as status"
    )
    score_nights(shop, night_of())
    mae = outcomes(shop)["earlier", "spend_28d", "mae"]
    assert (mae["promised_value"], mae["promise"]) == (3, "gate")
    shop.execute("update ops.head_status set status = 'champion'")
    score_nights(shop, night_of())
    assert outcomes(shop)["earlier", "spend_28d", "mae"]["promised_value"] == 4


def test_bins_of_chances_beside_what_happened(shop: Connection) -> None:
    foretell_truth(shop)
    score_nights(shop, night_of())
    rows = shop.sql("from ops.outcome_calibration where task = 'buys_28d' order by bin").pl()
    assert rows["bin"].to_list() == list(range(1, 11)) and rows["sample_count"].sum() == 23
    assert rows["predicted_mean"].to_list() == rows["observed_mean"].to_list()
