"""The decisions of a small warehouse, explained."""

from __future__ import annotations

import duckdb
import pytest

from mtl_models import checkpoint
from tasks.explain_decisions import explain_decisions
from tasks.night import ExplanationConfig, Night
from tests.model_tasks.conftest import Done

COMMON = "$run as run_id, date '2024-06-24' as as_of_date, 'm' as model_version, 'prior' as evidence_level, "
COMMON += "false as is_fallback, 'said' as primary_reason, now() as predicted_at"


@pytest.fixture(scope="module")
def decided(done: Done) -> Done:
    """Decisions about everything that was predicted; a queue with one action about a user and one about a product."""
    rows = {
        "user_profiles": "select user_id, units as expected_revenue_28d, 0.5 as order_probability_28d, true as "
        "is_contactable, {common} from (select user_id, row_number() over (order by user_id) as units "
        "from predicted.profile)",
        "replenishment_recommendations": "select distinct product_id, site_id, 1 as reorder_point_units, 2 as "
        "order_up_to_units, 3 as recommended_order_units, {common} from predicted.demand",
        "action_queue": "select row_number() over (order by head) as rank, *, date '2024-06-30' as do_by_date, "
        "{common} from (select 'profile' as head, 'Win back' as action, 'user' as object_type, 'u7' as object_id "
        "union all select 'supply', 'Order', 'product', (select min(product_id) from predicted.demand))",
    }
    for table, query in rows.items():
        done.con.execute(
            f"insert into predictions.{table} by name {query.format(common=COMMON)}", {"run": done.night.run_id}
        )
    return done


def few(night: Night, rows: int = 5) -> Night:
    return night.model_copy(update={"explanations": ExplanationConfig(rows_per_table=rows)})


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def test_the_top_rows_and_the_whole_queue_are_explained(decided: Done) -> None:
    report = explain_decisions(decided.con, few(decided.night))
    assert (report.explained, report.warnings) == (12, 0)
    counted = rows(
        decided.con,
        "select table_name, count(distinct object_id) from ops.explanations group by table_name order by table_name",
    )
    assert counted == [("action_queue", 2), ("replenishment_recommendations", 5), ("user_profiles", 5)]


def test_a_reader_joins_reasons_to_the_queue(decided: Done) -> None:
    explain_decisions(decided.con, few(decided.night))
    found = rows(
        decided.con,
        """select action, string_agg(sentence, ' ' order by reasons.rank), bool_and(is_complete)
        from predictions.action_queue as queue
        join ops.explanations as reasons
            on table_name = 'action_queue' and reasons.object_id = cast(queue.rank as varchar)
        group by action order by action""",
    )
    assert [action for action, _, _ in found] == ["Order", "Win back"]
    assert all(is_complete for _, _, is_complete in found)
    assert "the sales expected by" in found[0][1]
    assert "the chance of an order within 28 days" in found[1][1]


def test_reasons_are_ranked_by_size_and_quote_the_feature(decided: Done) -> None:
    explain_decisions(decided.con, few(decided.night))
    for sizes in rows(
        decided.con, "select list(abs(attribution) order by rank) from ops.explanations group by table_name, object_id"
    ):
        assert sizes[0] == sorted(sizes[0], reverse=True) and 1 <= len(sizes[0]) <= 3
    quoted = rows(
        decided.con,
        """select cast(value as double), keenness from ops.explanations
        join features.users on user_id = object_id and cutoff_date = date '2024-06-24'
        where feature = 'user.keenness' and table_name = 'user_profiles'""",
    )
    assert quoted
    assert all(value == pytest.approx(keenness) for value, keenness in quoted)


def test_explaining_twice_is_explaining_once(decided: Done) -> None:
    explain_decisions(decided.con, few(decided.night))
    once = rows(decided.con, "select * from ops.explanations order by all")
    decided.con.execute(
        "insert into ops.explanations (run_id, table_name, head, object_id, rank) values ('0', '', '', 'u', 1)"
    )
    explain_decisions(decided.con, few(decided.night))
    assert rows(decided.con, "select * from ops.explanations order by all") == once, "one night, and nothing older"


def test_what_fails_is_a_warning_and_no_more(decided: Done, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise checkpoint.CheckpointError("the model is gone")

    monkeypatch.setattr("tasks.serving.checkpoint.load", gone)
    report = explain_decisions(decided.con, few(decided.night))
    assert (report.explained, report.warnings) == (0, 2)
    warned = rows(
        decided.con,
        """select rule, severity, detail from ops.quality_checks
        where table_name = 'explanations' and not is_passed order by rule""",
    )
    assert warned == [
        (table, "warning", "CheckpointError: the model is gone")
        for table in ("replenishment_recommendations", "user_profiles")
    ]
