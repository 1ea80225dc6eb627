"""What a person is told, and what not."""

from __future__ import annotations

from datetime import timedelta

import duckdb
import pytest

from tasks.outcomes.alerts import raise_alerts
from tests.features.rows import AS_OF
from tests.outcomes.conftest import EARLIER, night_of, release

Connection = duckdb.DuckDBPyConnection


def outcome(con: Connection, metric: str, value: float, naive: float | None, promised: float, **more: object) -> None:
    """A measure of the night `earlier`; its gate had naive at 10 and promised what is given."""
    row = {"task": "spend_28d", "is_higher_better": False, "is_mature": True, "is_rolled_back": False} | more
    names = ", ".join(f"${name} as {name}" for name in row)
    con.execute(
        f"""insert into ops.outcomes by name
        select 'earlier' as run_id, $day as as_of_date, 'profile' as head, $metric as metric, $value as value,
            $naive as baseline_value, $promised as promised_value, 'gate' as promise, 100 as sample_count,
            $known as known_until, {names}""",
        {"metric": metric, "value": value, "naive": naive, "promised": promised, "day": EARLIER, "known": AS_OF} | row,
    )
    con.execute(
        """insert into ops.model_metrics by name
        select 'earlier' as run_id, 'profile' as head, $1 as task, $2 as metric, $3 as value,
            10.0 as baseline_value, true as is_gate""",
        [row["task"], metric, promised],
    )


@pytest.mark.parametrize(
    ("value", "naive", "promised", "is_alert"),
    [
        (8, 10, 8, False),
        (16, 20, 8, False),  # twice the error in a window twice as hard
        (11, 10, 8, True),  # naive was better
        (9.5, 10, 8, True),  # of a lead of 20%, 5% is left
        (8.8, 10, 8, False),  # more than half of it is
        (10.1, 10, 9.9, False),  # no worse than chance
    ],
)
def test_a_gate_s_measure_is_an_alert_when_its_lead_over_naive_is_lost(
    shop: Connection, value: float, naive: float, promised: float, is_alert: bool
) -> None:
    outcome(shop, "mae", value, naive, promised)
    messages = raise_alerts(shop, night_of())
    assert bool(messages) == is_alert
    if is_alert:
        assert f"came to {value:.3g}" in messages[0] and "promised" in messages[0]


@pytest.mark.parametrize(
    ("metric", "value", "promised", "is_alert"),
    [
        ("bias_percent", 19, 0, False),
        ("bias_percent", -21, 0, True),
        ("rate", 0.55, 0.5, False),
        ("rate", 0.8, 0.5, True),
        ("coverage_p90", 0.85, 0.9, False),
        ("coverage_p90", 0.79, 0.9, True),
    ],
)
def test_totals_rates_and_coverages_may_not_be_far_off(
    shop: Connection, metric: str, value: float, promised: float, is_alert: bool
) -> None:
    outcome(shop, metric, value, None, promised, is_higher_better=None)
    assert bool(raise_alerts(shop, night_of())) == is_alert


@pytest.mark.parametrize("more", [{"is_mature": False}, {"is_rolled_back": True}])
def test_what_is_not_over_or_was_taken_back_alerts_nobody(shop: Connection, more: dict[str, bool]) -> None:
    outcome(shop, "mae", 11, 10, 8, **more)
    assert raise_alerts(shop, night_of()) == []


def test_few_rows_and_few_of_the_rarer_outcome_say_nothing(shop: Connection) -> None:
    outcome(shop, "mae", 11, 10, 8)
    assert raise_alerts(shop, night_of(minimum_rows=101)) == []
    shop.execute("delete from ops.outcomes; delete from ops.model_metrics")
    outcome(shop, "auc", 0.45, 0.5, 10.2, task="contacted", is_higher_better=True)
    outcome(shop, "rate", 0.04, 0.04, 0.04, task="contacted", is_higher_better=None)
    assert raise_alerts(shop, night_of()) == []


def test_an_alert_is_new_once(shop: Connection) -> None:
    outcome(shop, "mae", 11, 10, 8)
    release(shop, "last night", AS_OF - timedelta(days=1))
    release(shop, "tonight", AS_OF)
    rows = "select is_new from ops.alerts where run_id = 'tonight'"
    raise_alerts(shop, night_of())
    assert shop.execute(rows).fetchall() == [(True,)]
    shop.execute("insert into ops.alerts by name select * replace ('last night' as run_id) from ops.alerts")
    raise_alerts(shop, night_of())
    assert shop.execute(rows).fetchall() == [(False,)]


def test_drift_of_features_is_one_finding_for_each_table(shop: Connection) -> None:
    shop.execute(
        """insert into ops.drift_metrics by name
        select 'tonight' as run_id, unnest([
            {'kind': 'feature', 'subject': 'users.recency_days', 'metric': 'psi', 'value': 0.5, 'is_alert': true},
            {'kind': 'feature', 'subject': 'users.orders', 'metric': 'psi', 'value': 0.9, 'is_alert': true},
            {'kind': 'feature', 'subject': 'users.spend', 'metric': 'psi', 'value': 0.1, 'is_alert': false},
            {'kind': 'prediction', 'subject': 'profile.churn', 'metric': 'psi', 'value': 0.4, 'is_alert': true},
            {'kind': 'table', 'subject': 'users', 'metric': 'domain_auc', 'value': 0.9, 'is_alert': true},
            {'kind': 'table', 'subject': 'products', 'metric': 'domain_auc', 'value': 0.8, 'is_alert': true}
        ], recursive := true)"""
    )
    raise_alerts(shop, night_of())
    rows = shop.execute("select subject, message, remedy from ops.alerts order by alert_number").fetchall()
    assert [subject for subject, *_ in rows] == ["profile.churn", "users", "products"]
    assert rows[1][1].startswith("2 of 3 features of users moved") and "orders (PSI 0.90)" in rows[1][1]
    assert all(remedy for *_, remedy in rows)
