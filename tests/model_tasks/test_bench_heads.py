"""The benchmark of the heads: what peers may know, who is the best of them, when a goal is met, and one run of it."""

from __future__ import annotations

import json
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from subprocess import CompletedProcess

import bench_heads
import numpy as np
import pytest
from quality import cost, fits, page, trees
from quality.contests import play
from quality.designs import read_design, without_plan
from quality.goals import GROCER, Goal, goals_of
from quality.lists import Purchases, _ranked
from scipy.sparse import csr_matrix

from mtl_models.ranking_metrics import LENGTH
from tasks.read_samples import read_frames
from tests.model_tasks.conftest import Done


@pytest.mark.parametrize(
    ("floor", "ceiling", "value", "missed", "words"),
    [
        (0.5, None, 0.6, 0.0, "≥ 0.5"),
        (0.5, None, 0.4, 0.1, "≥ 0.5"),
        (None, 2.0, 2.5, 0.5, "≤ 2"),
        (-1.0, 1.0, 0.0, 0.0, "-1 to 1"),
        (-1.0, 1.0, -1.5, 0.5, "-1 to 1"),
    ],
)
def test_a_goal_tells_by_how_much_it_is_missed(
    floor: float | None, ceiling: float | None, value: float, missed: float, words: str
) -> None:
    goal = Goal(contest="a", measure="b", floor=floor, ceiling=ceiling)
    assert goal.missed_by(value) == pytest.approx(missed) and str(goal) == words


def test_what_is_known_of_others_does_not_reach_a_goal_that_says_so() -> None:
    assert len(goals_of("completejourney")) == len(GROCER), "a goal a measure"
    assert not goals_of("files")


def test_peers_see_what_the_model_sees_and_no_label_and_nothing_of_the_week_ahead(done: Done) -> None:
    supply, pricing = (read_design(done.con, task) for task in ("supply", "pricing"))
    blind = read_design(done.con, "supply", knows_plan=False)
    assert {"history level", "product category", "calendar week", "price_assumed"} <= set(supply.names)
    assert not [name for name in supply.names if "label" in name or "slot" in name or name.startswith("user")]
    assert {"price", "depth", "is_price_seen"}.isdisjoint(supply.names)
    assert set(pricing.names) - set(supply.names) == {"price", "list_price", "depth", "log_price_ratio"}
    assert set(supply.names) - set(blind.names) >= {"price_assumed", "ctx_other_promotion"}
    assert all(len(supply.features[fold]) == len(supply.rows[fold]) > 0 for fold in supply.rows)


def test_without_the_plan_prices_are_as_usual(done: Done) -> None:
    rows = without_plan(read_frames(done.con, ["demand"], ("test",))).samples["demand"]["test"]
    assert (rows["mean_price_assumed"] == rows["reference_price"]).all() and not rows["ctx_other_promotion"].sum()


def test_ease_ranks_what_is_bought_together() -> None:
    random, users, products = np.random.default_rng(0), 200, 2 * LENGTH
    bought = random.random((users, products)) < 0.05
    bought[:, 1] = bought[:, 0] & (np.arange(users) > 0)
    bought[0, 0] = True
    matrix = csr_matrix(bought.astype(float))
    counts = np.ones(users, int)
    answers = _ranked(
        Purchases([""] * users, [""] * products, matrix, matrix, matrix, counts, counts),
        penalty=5.0,
    )
    mine = (answers.lists.lists == 0) & answers.lists.is_new
    best = answers.lists.products[mine][answers.predicted["score"][mine].argmax()]
    assert best == 1 and mine.sum() >= LENGTH
    seen = bought[answers.lists.lists, answers.lists.products]
    assert (answers.lists.is_new == ~seen).all()


def test_a_row_with_shares_is_a_weighted_row_for_each_class() -> None:
    part = {
        "features": np.arange(2.0)[:, None],
        "target": np.array([[0.25, 0.75], [0, 1]]),
        "weight": np.array([1.0, 2]),
    }
    rows = trees._by_class(part)
    assert rows["target"].tolist() == [0, 1, 1] and rows["weight"].tolist() == [0.25, 0.75, 2.0]


def test_the_logistic_regression_learns_from_the_columns_it_may_read() -> None:
    random = np.random.default_rng(0)
    features = {fold: random.normal(size=(400, 2)) for fold in ("train", "validation", "test")}
    rows = {f"{fold}_target": (values[:, 0] > 0).astype(float) for fold, values in features.items()}
    rows |= {f"{fold}_weight": np.ones(400) for fold in features}
    told, untold = (trees.logistic(features, rows, {"settings": {"columns": [column]}}, []) for column in (0, 1))
    happened = features["test"][:, 0] > 0
    assert told[happened].min() > told[~happened].max() and untold[happened].min() < untold[~happened].max()


def constant(command: list[str], **_: object) -> CompletedProcess:
    """A peer that says the same of every row: the mean of what it may learn."""
    folder = Path(command[-1])
    task, rows = json.loads((folder / "fits.json").read_text()), len(np.load(folder / "test.npy"))
    for i in range(len(task["fits"])):
        learned = np.load(folder / f"fit_{i}.npz")
        mean = np.nanmean(learned["train_target"], axis=0)
        np.save(folder / f"predicted_{i}.npy", np.broadcast_to(mean, (rows, *mean.shape)))
    return CompletedProcess(command, 0, '{"cpu_s": 2.0}', "")


@pytest.fixture
def with_peers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fits.subprocess, "run", constant)
    monkeypatch.setattr(bench_heads, "interpreter_of_peers", lambda python: python)
    spent = {"training_cpu_s": 100.0, "prediction_cpu_s": 50.0, "peak_mib": 3000.0}
    monkeypatch.setattr(bench_heads, "cost_of", lambda home: spent)


def test_the_best_peer_is_told_with_a_difference_that_is_sure_where_both_say_the_same(
    done: Done, with_peers: None
) -> None:
    goal = Goal(contest="profile", measure="spend_28d mae", ceiling=0.0, known=("oracle", 0.1))
    model = bench_heads.load_tonight(cost.night_of(done.con, done.night.home))
    contest = next(iter(bench_heads.contests_of(done.con, model, "python")))
    own = {line.measure: line for line in play(done.con, replace(contest, peers={"twin": contest.ours}), {}, 5)}
    known = play(done.con, contest, {(goal.contest, goal.measure): goal}, 5)[0]
    assert own["spend_28d mae"].peer == "twin" and own["spend_28d mae"].half_width < 1e-9
    assert own["spend_28d mae"].difference == 0 and own["spend_28d mae"].missed_by is None
    assert (known.peer, known.is_known) == ("oracle (known)", True) and known.half_width > 0
    assert known.missed_by == known.value and "LightGBM L1" in known.peers


def test_a_run_prints_a_table_keeps_its_results_and_fills_the_page(
    done: Done, with_peers: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # One process opens a file in one way; the night of the test has it open.
    monkeypatch.setattr(bench_heads, "open_read_only", lambda file: nullcontext(done.con))
    monkeypatch.setattr(page, "PAGE", tmp_path / "quality.md")
    results = tmp_path / "results.jsonl"
    command = ["--home", str(done.night.home), "--draws", "3", "--results", str(results), "--write"]
    for _ in range(2):
        bench_heads.main(command)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert len(results.read_text().splitlines()) == 1, "a shop measured again replaces itself"
    assert told["peers_cpu_s"] > 2 and any(name.startswith("supply without the plan") for name in told["values"])
    written = page.PAGE.read_text()
    assert "| recommendation | new ndcg_20 ↑ |" in written and "together 150 (goal: at most 190, met)" in written
    assert "goal: under 2,048, missed by 952 MiB" in written
