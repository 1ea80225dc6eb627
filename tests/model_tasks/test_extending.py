"""What the page on adding a head says is done to the letter: the head learns, serves and comes back from disk."""

from __future__ import annotations

import importlib
import re
import sys
from pathlib import Path
from types import ModuleType

import duckdb
import pytest

from mtl_models import checkpoint
from mtl_models.predict import predict
from tasks.decisions import context
from tasks.evaluate_heads import evaluate_heads
from tasks.predict_heads import predict_heads
from tasks.read_samples import entity_tensors, read_frames, sample_tensors
from tasks.train_model import train_model
from tests.model_tasks.small_warehouse import AS_OF, MODEL, begin, night_of
from warehouse.contracts import predictions
from warehouse.contracts.ddl import create_all

PAGE = (Path(__file__).parent.parent.parent / "docs" / "extending.md").read_text()
# {file: its content}: each block begins with the name of its file.
BLOCKS = dict(re.findall(r"```(?:python|sql)\n(?:#|--) (\S+)\n(.*?)```", PAGE, re.S))
ENTRIES = re.findall(r"^\| `([A-Z_]+)` \| `([a-z_.]+)` \| `(.*)` \|$", PAGE, re.M)
# Who is keener buys more, and one month's count says it badly.
PURCHASES = """
    create or replace table staging.order_lines as
    select user_id, product_id, cutoff_date - 28 * cast(months_ago as integer) as business_date, true as is_item
    from features.users
    join features.products using (cutoff_date), range(1, 7) as months (months_ago)
    where cutoff_date = $1 and noise(user_id || business_date || product_id) < 0.02 + 0.02 * keenness
"""


def add_module(file: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType(file.removesuffix(".py").replace("/", "."))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(BLOCKS[file], vars(module))
    return module


@pytest.fixture
def extended(small: duckdb.DuckDBPyConnection, monkeypatch: pytest.MonkeyPatch) -> duckdb.DuckDBPyConnection:
    """The small warehouse, extended as the page says."""
    small.execute(PURCHASES, [AS_OF])
    small.execute("set variable horizon_days = 28")
    small.execute(BLOCKS["warehouse/samples/basket.sql"])
    head = add_module("mtl_models/heads/basket.py", monkeypatch)
    scorecard = add_module("mtl_models/scorecard_basket.py", monkeypatch)
    for dictionary, place, entry in ENTRIES:
        module = importlib.import_module(place)
        ((name, value),) = eval(f"{{{entry}}}", vars(module) | vars(head) | vars(scorecard)).items()
        monkeypatch.setitem(getattr(module, dictionary), name, value)
    return small


def test_a_sixth_head_is_trained_measured_predicted_and_comes_back(
    extended: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    con, night = extended, night_of(tmp_path, model=MODEL.model_copy(update={"max_epochs": 10, "learning_rate": 5e-3}))
    begin(con, night)
    report = train_model(con, night)
    assert report.tasks[-1] == "basket" and len(report.tasks) == 6
    best = min((epoch for epoch in report.epochs if epoch.validation_losses), key=lambda epoch: epoch.validation_loss)
    assert best.validation_losses["basket"] < 0.92, "it learned what the month before does not say"

    evaluate_heads(con, night)
    verdicts = con.execute("select status, reason from ops.head_status where head = 'basket'").fetchall()
    assert verdicts[0][0] == "released", verdicts
    assert predict_heads(con, night).rows["basket"] == 100
    expected = con.execute("select expected_items_28d from predicted.basket order by user_id").fetchall()

    model, saved = checkpoint.load(night.model_folder)
    frames = read_frames(con, ["basket"], ("serve",))
    rows = sample_tensors(frames, saved.preprocessing, "serve")
    again = predict(model, entity_tensors(frames, saved.preprocessing), rows)["basket"]["expected_items_28d"]
    assert [(items,) for items in again.tolist()] == expected


def test_its_table_is_published_under_its_contract(
    extended: duckdb.DuckDBPyConnection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    con = extended
    con.execute("create schema predicted")
    con.execute(
        """create table predicted.basket as
        select user_id, 3.5 as expected_items_28d, 'm' as model_version, false as is_fallback
        from samples.basket where fold = 'serve'"""
    )
    known = dict(vars(predictions))
    exec(BLOCKS["warehouse/contracts/predictions.py"], known)
    table = known["BASKET_FORECASTS"]
    create_all(con, [table])
    monkeypatch.setitem(context._TABLES, table.name, table)
    monkeypatch.setattr(context, "read_sql", lambda file: BLOCKS[f"warehouse/{file}"])
    assert context.write(con, "basket_forecasts") == 100
