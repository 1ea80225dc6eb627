"""The benchmark of joint training: what it draws, what it shuffles, what it concludes, and one run of it."""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import bench_mtl_heads
import numpy as np
import pytest
import torch
from heads import page, training
from heads.differences import Difference, beyond_luck, gain
from heads.resampling import Gate, resample, rows_of
from heads.results import Results
from heads.training import Training, with_noise

from mtl_models.scorecard import Lists
from tasks.lesson import make_lesson
from tasks.read_samples import fit_preprocessing, read_frames
from tasks.score_heads import Answers, score_answers
from tests.model_tasks.small_warehouse import AS_OF, begin, night_of
from warehouse.connect import open_read_only, open_warehouse


@pytest.fixture(scope="module")
def warehouse(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small warehouse after a night."""
    path = Path(shutil.copy(small_file, tmp_path_factory.mktemp("bench") / "warehouse.duckdb"))
    with open_warehouse(path) as con:
        begin(con, night_of(path.parent))
    return path


def listed(buyers: int = 30, candidates: int = 25) -> Answers:
    """Lists of a user each, one after the other, with luck in what was bought."""
    random, rows = np.random.default_rng(0), buyers * candidates
    bought, lists = random.random(rows) < 0.1, np.repeat(np.arange(buyers), candidates)
    relevant = np.bincount(lists, bought, buyers).astype(int) + random.integers(0, 2, buyers)
    return Answers(
        targets={},
        inputs={},
        baselines={"popularity": random.random(rows)},
        predicted={"score": random.random(rows) + bought},
        lists=Lists(
            lists=lists,
            products=np.tile(np.arange(candidates), buyers),
            is_bought=bought,
            is_new=random.random(rows) < 0.5,
            relevant=relevant,
            relevant_new=relevant,
            catalogue=candidates,
        ),
    )


def ndcg(answers: Answers) -> float:
    return score_answers("recommendation", answers)[0].value


def test_entities_are_drawn_with_all_their_rows_as_often_as_they_come() -> None:
    index, draw = rows_of(np.array([1, 0, 1, 2]), np.array([1, 3, 1, 0]))
    assert index.tolist() == [0, 2, 0, 2, 1] and draw.tolist() == [0, 0, 2, 2, 3]


def test_lists_drawn_once_each_score_as_published_and_lists_drawn_twice_count_twice() -> None:
    answers = listed()
    lists, every = answers.lists.lists, np.arange(30)
    assert ndcg(resample(answers, lists, every)) == pytest.approx(ndcg(answers))
    assert ndcg(resample(answers, lists, np.concatenate([every, every]))) == pytest.approx(ndcg(answers))
    bought = np.flatnonzero(answers.lists.relevant)[:2]
    first, second = (ndcg(resample(answers, lists, np.array([one]))) for one in bought)
    assert first != second
    assert ndcg(resample(answers, lists, bought[[0, 0, 1]])) == pytest.approx((2 * first + second) / 3)


def test_noise_breaks_what_features_say_and_nothing_else(warehouse: Path) -> None:
    with open_read_only(warehouse) as con:
        frames = read_frames(con, ["profile", "demand"], ("train", "validation"))
        lesson = make_lesson(con, frames, fit_preprocessing(frames), AS_OF, torch.device("cpu"))
    noisy = with_noise(lesson, "profile", seed=0)
    assert noisy.train["profile"] is lesson.train["profile"]
    assert noisy.validation["profile"] is lesson.validation["profile"] and not len(noisy.validation["demand"])

    def pairs(rows: training.TaskSamples) -> list[tuple[float, ...]]:
        columns = (rows.targets["units"], rows.baselines["level"], rows.inputs["price"])
        return list(zip(*(column.tolist() for column in columns), strict=True))

    before, after = lesson.train["demand"], noisy.train["demand"]
    assert torch.equal(before.context, after.context) and torch.equal(before.slots["product"], after.slots["product"])
    assert pairs(before) != pairs(after) and sorted(pairs(before)) == sorted(pairs(after))


def gates(values: list[float], *, higher: bool, noise: float = 0.0) -> list[dict]:
    """A gate by seed, its draws around its value."""
    draws = np.random.default_rng(0).normal(0, noise, (len(values), 200)) if noise else np.zeros((len(values), 2))
    return [
        asdict(Gate(head="a", value=v, baseline=0, is_higher_better=higher, resampled=(v + d).tolist()))
        for v, d in zip(values, draws, strict=True)
    ]


def test_a_gain_is_above_zero_where_ours_is_better_whichever_way_the_measure_goes() -> None:
    for higher, sign in ((True, 1), (False, -1)):
        found = gain(gates([1.1, 1.3], higher=higher), gates([1.0, 1.0], higher=higher))
        assert found.mean == pytest.approx(sign * 0.2)
        assert found.half == pytest.approx(12.706 * 0.1, rel=1e-3)  # Student's t of two seeds, standard error 0.1


def test_luck_of_entities_that_both_share_cancels() -> None:
    ours, theirs = (gates([value] * 3, higher=True, noise=0.1) for value in (1.1, 1.0))
    assert gain(ours, theirs).half < 1e-6
    apart = [gate | {"resampled": gate["resampled"][::-1]} for gate in theirs]
    assert gain(ours, apart).half == pytest.approx(1.96 * 0.1 * (2 / 3) ** 0.5, rel=0.2)


def test_what_is_the_same_is_luck() -> None:
    same = gain(gates([1.0], higher=True), gates([1.0], higher=True))
    assert same.mean == 0 and same.chance == 1 and not beyond_luck({"a": same})


def test_what_is_one_of_many_needs_more_to_be_beyond_luck() -> None:
    unsure, sure = Difference(0.1, 0.09), Difference(0.1, 0.05)
    assert beyond_luck({"a": unsure}) == {"a"}
    assert beyond_luck({"a": unsure, "b": unsure, "c": sure}) == {"c"}


def test_a_run_prints_its_tables_fills_the_page_and_goes_on_where_it_was_stopped(
    warehouse: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made: list[Training] = []

    def train(file: Path, one: Training) -> dict:
        made.append(one)
        return training.run(file, replace(one, resamples=3))

    monkeypatch.setattr(bench_mtl_heads, "train", train)
    monkeypatch.setattr(page, "PAGE", tmp_path / "heads.md")
    monkeypatch.setattr(page, "README", tmp_path / "README.md")
    page.README.write_text(f"before\n{page.BEGIN}\nold\n{page.END}\nafter")
    command = [str(warehouse), "--seeds", "1", "--epochs", "1", "--results", str(tmp_path / "results.jsonl")]
    bench_mtl_heads.main([*command, "--only", "hard,single"])
    bench_mtl_heads.main([*command, "--only", "single,ple,hard,placebo", "--write"])

    ways = Results(tmp_path / "results.jsonl").of(f"files {AS_OF}")
    tasks = set(ways["hard"][0]["validation"])
    assert len(tasks) == 5 and {one.alone for one in made if one.alone} == tasks
    assert len(made) == len(set(map(str, made))) == 5 + 2 + 4, "each task, two ways of sharing, a placebo of each table"
    assert all(seeds[0]["gates"].keys() == ways["hard"][0]["gates"].keys() for seeds in ways.values())
    assert ways["single"][0]["validation"] == pytest.approx(ways["hard"][0]["validation"], rel=0.5)
    told = json.loads(capsys.readouterr().out.splitlines()[-1])["shops"][f"files {AS_OF}"]
    assert told["ple"]["gain"].keys() == ways["ple"][0]["gates"].keys() and not any(told["single"]["gain"].values())
    written, readme = page.PAGE.read_text(), page.README.read_text()
    assert "| profile | buys_28d auc ↑ | 0.5 |" in written and "### Placebo" in written
    assert readme.startswith("before") and readme.endswith("after") and "old" not in readme
    assert all(line in readme for line in page.short_tables(Results(tmp_path / "results.jsonl")).splitlines())


def test_a_training_runs_in_a_process_of_its_own(warehouse: Path) -> None:
    found = bench_mtl_heads.train(warehouse, Training(sharing="hard", seed=0, epochs=1, alone="supply", resamples=1))
    assert found["cpu_s"] > 0 and found["peak_mib"] > found["added_mib"] > 0 and list(found["validation"]) == ["supply"]
