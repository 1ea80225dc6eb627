"""Whatever the samples do to the training, each head has its verdict and reason, and no table holds a NaN."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from mtl_models.config import ModelConfig
from tasks.evaluate_heads import evaluate_heads
from tasks.predict_heads import predict_heads
from tasks.progress import listening
from tasks.serving import HEADS
from tasks.train_model import train_model
from tests.model_tasks.small_warehouse import AS_OF, MODEL, begin, night_of

QUICK = MODEL.model_copy(update={"max_epochs": 1, "finish_epochs": 1})
ABSURD = QUICK.model_copy(update={"learning_rate": 1e6})
TESTED = "where fold = 'test'"
LABELS = """
update samples.profile set label_spend_28d = {0}, label_buys_28d = {1}, label_buys_7d = {1}, label_churns_90d = {1},
    label_discount_share_28d = {1}, label_category_shares = {2} where fold <> 'serve';
update samples.recommendation set label_bought_28d = {1} where fold <> 'serve';
update samples.demand set label_units = {0} where fold <> 'serve';
update samples.promotion set label_redeemed = {1} where fold <> 'serve';
"""
# What happened to the samples, how the model was trained, and the heads that are held back because of it.
CASES = {
    "a step size that throws the weights away": ("", ABSURD, {"profile", "recommendation", "pricing", "supply"}),
    "constant labels": (LABELS.format(20, 1, "[1, 0, 0]"), QUICK, {"promotion", "recommendation", "profile"}),
    "nothing happened": (LABELS.format(0, 0, "null"), QUICK, {"promotion", "recommendation", "pricing", "supply"}),
    "labels that are no number": (
        "alter table samples.promotion alter label_redeemed type double;"
        "update samples.promotion set label_redeemed = 'nan';"
        "alter table samples.demand alter label_units type double; update samples.demand set label_units = 'nan'",
        QUICK,
        {"pricing", "supply", "promotion"},
    ),
    "a measured window without labels": (
        f"update samples.promotion set label_redeemed = null {TESTED};"
        f"update samples.demand set label_units = null {TESTED}",
        QUICK,
        {"promotion", "pricing", "supply"},
    ),
    "features without end": (
        "alter table features.users add column gone double default 'inf';"
        "update features.users set sometimes_unknown = if(user_id < 'u5', 'inf', 'nan')::double",
        QUICK,
        set(),
    ),
}


def no_numbers(con: duckdb.DuckDBPyConnection) -> list[tuple[str, str]]:
    """(table, column) of the predictions and the diary that hold NaN or infinity."""
    columns = con.execute(
        """select schema_name || '.' || table_name, column_name from duckdb_columns()
        where schema_name in ('predicted', 'ops') and data_type in ('FLOAT', 'DOUBLE')"""
    ).fetchall()
    found = "select count(*) from {} where not isfinite({})"
    return [(table, name) for table, name in columns if con.execute(found.format(table, name)).fetchall() != [(0,)]]


@pytest.mark.parametrize(("damage", "model", "held"), CASES.values(), ids=CASES)
def test_a_bad_model_is_held_back_with_its_reason(
    damage: str, model: ModelConfig, held: set[str], small: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    small.execute(damage or "select 1")
    night = night_of(tmp_path, model=model)
    begin(small, night)
    train_model(small, night)
    evaluate_heads(small, night)
    predict_heads(small, night)
    found = small.execute("select head, status, reason from ops.head_status").fetchall()
    verdicts = {head: (status, reason) for head, status, reason in found}
    assert set(verdicts) == set(HEADS)
    assert all(reason and "nan" not in reason for _, reason in verdicts.values())
    assert {head for head, (status, _) in verdicts.items() if status == "not_released"} >= held
    assert no_numbers(small) == []


def test_the_night_after_starts_afresh_and_the_head_before_serves_meanwhile(
    small: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    """Weights that have run away stay away: a warm start from them would never learn again."""
    nights = [
        night_of(tmp_path, f"night-{number}", AS_OF - timedelta(days=7 * (3 - number)), model)
        for number, model in ((1, QUICK), (2, ABSURD.model_copy(update={"warm_start": False})), (3, QUICK))
    ]
    served, said = [], list[str]()
    for night in nights:
        begin(small, night)
        with listening(lambda message, _: said.append(message)):
            train_model(small, night)
        evaluate_heads(small, night)
        served += small.execute(
            "select status, model_version[:7] from ops.head_status where run_id = $1 and head = 'supply'",
            [night.run_id],
        ).fetchall()
    assert served == [("released", "night-1"), ("champion", "night-1"), ("released", "night-3")]
    assert any("training starts afresh: night-2" in line and "supply" in line for line in said)
