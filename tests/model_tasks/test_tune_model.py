"""Tuning on the small warehouse: trials, their study, and what the diary says of them."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import duckdb
import pytest

from mtl_models.config import ModelConfig, TaskWeights
from tasks import tuning_trial
from tasks.leave_one_out import leave_one_out, losses_without
from tasks.progress import listening
from tasks.rolling_origins import read_origins
from tasks.search_space import FAMILIES, SPACE, config_of, parameters_of, space_around
from tasks.tune_model import Bench, Pass, by_head, final_losses, in_words, read_bench, try_settings
from tasks.tuning_study import JOURNAL, Record, Study
from tasks.tuning_trial import run_trial
from tasks.write_trials import write_gains, write_trials
from tests.model_tasks.small_warehouse import AS_OF, MODEL, night_of
from warehouse.connect import open_warehouse

QUICK = MODEL.model_copy(update={"max_epochs": 1})
TEST_WINDOW = AS_OF - timedelta(days=28)


def never() -> bool:
    return False


@pytest.fixture(scope="module")
def bench(small_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    home = tmp_path_factory.mktemp("bench")
    with open_warehouse(Path(shutil.copy(small_file, home / "warehouse.duckdb"))) as con:
        return read_bench(con, night_of(home, model=QUICK))


@pytest.fixture(scope="module")
def losses_in_use(bench: Bench) -> dict[str, float]:
    return final_losses(bench, QUICK)


def study_in(folder: Path, config: ModelConfig = QUICK, night: str = "one") -> Study:
    return Study(folder, "shop v1", {"night": night}, config)


EMPTY = Bench((), {})


def tried(study: Study, bench: Bench = EMPTY, is_over: Callable[[], bool] = never) -> Record:
    return run_trial(study, bench, study.next_trial(), is_over)


# --- origins ---------------------------------------------------------------------------------------------------------


def test_the_origins_are_the_validation_window_and_the_one_before(bench: Bench) -> None:
    newest, before = bench.origins
    assert (newest.day, before.day) == (AS_OF - timedelta(days=56), AS_OF - timedelta(days=84))
    # Of the training cut-offs 84, 112 and 140 days ago the newest validates and the others train.
    assert len(before.lesson.train["profile"]) == 200 and len(before.lesson.validation["profile"]) == 100
    # The recommendation has one training cut-off, so nothing older to learn from.
    assert set(newest.tasks) - set(before.tasks) == {"recommendation"}
    # A label of 90 days that ends in the window is not known to training.
    assert before.lesson.train["profile"].targets["churns_90d"].isnan().all()
    assert not before.lesson.train["profile"].targets["buys_28d"].isnan().any()


def test_reading_leaves_the_warehouse_as_it_was(small: duckdb.DuckDBPyConnection) -> None:
    def tables() -> list[tuple]:
        query = "select database_name, schema_name, table_name from duckdb_tables() where not temporary order by all"
        return small.execute(query).fetchall() + small.execute("select current_database()").fetchall()

    before = tables()
    read_origins(small, QUICK, 28)
    assert tables() == before


def test_the_measured_window_is_never_read(
    small: duckdb.DuckDBPyConnection, losses_in_use: dict[str, float], tmp_path: Path
) -> None:
    """Garbage in every row of it changes no loss."""
    for table in ("profile", "recommendation", "demand", "promotion"):
        columns = small.execute(
            "select column_name from duckdb_columns() where schema_name = 'samples' and table_name = $1"
            " and data_type in ('INTEGER', 'DOUBLE', 'FLOAT') and not starts_with(column_name, 'hor')",
            [table],
        ).fetchall()
        garbage = ", ".join(f"{name} = 1e6" for (name,) in columns if name.startswith(("label", "base", "ctx")))
        changed = small.execute(f"update samples.{table} set {garbage} where fold = 'test'").fetchall()
        assert changed[0][0] > 0
    small.execute("update features.users set keenness = 1000 where cutoff_date = $1", [TEST_WINDOW])
    small.execute("update features.price_spells set units = 1e6 where week_start >= $1", [TEST_WINDOW])
    poisoned = read_bench(small, night_of(tmp_path, model=QUICK))
    assert final_losses(poisoned, QUICK) == losses_in_use


# --- values ----------------------------------------------------------------------------------------------------------


def test_heads_count_alike_or_as_the_business_says() -> None:
    losses = {"profile": 0.5, "service_orders": 0.8, "service_days": 1.0}
    assert by_head(losses) == {"profile": 0.5, "service": pytest.approx(0.9)}
    assert Bench((), {}).value(losses) == pytest.approx(0.7)
    assert Bench((), {"service": 3.0}).value(losses) == pytest.approx((0.5 + 3 * 0.9) / 4)
    assert Bench((), {"service": 0.0}).value(losses) == pytest.approx(0.5)


def test_losses_are_means_over_origins(bench: Bench, losses_in_use: dict[str, float]) -> None:
    passes = list(try_settings(bench, QUICK))
    assert [(seen.window, seen.windows, seen.number, seen.share) for seen in passes] == [(1, 2, 1, 0.5), (2, 2, 2, 1.0)]
    newest, both = (seen.losses for seen in passes)
    before = final_losses(Bench(bench.origins[1:], {}), QUICK)
    assert both["profile"] == pytest.approx((newest["profile"] + before["profile"]) / 2)
    assert both["recommendation"] == newest["recommendation"]
    assert both == losses_in_use


# --- the space -------------------------------------------------------------------------------------------------------


def test_settings_are_points_of_their_space() -> None:
    for config in (ModelConfig(), MODEL, ModelConfig(task_weights=TaskWeights(supply=0.0), dropout=0.7)):
        parameters = parameters_of(config)
        assert config_of(parameters, config) == config
        for name, values in space_around(config).items():
            assert values._contains(values.to_internal_repr(parameters[name])), name
    assert space_around(ModelConfig()) == SPACE, "defaults need no wider space"


def test_the_space_names_every_family_that_there_is() -> None:
    assert set(FAMILIES) == set(ModelConfig.model_fields["sharing"].annotation.__args__)  # type: ignore[union-attr]


# --- the study -------------------------------------------------------------------------------------------------------


def test_the_settings_in_use_come_first_and_nothing_worse_is_best(
    bench: Bench, losses_in_use: dict[str, float], tmp_path: Path
) -> None:
    study = study_in(tmp_path)
    records = [tried(study, bench) for _ in range(3)]
    assert records[0].is_in_use and records[0].state == "completed" and not any(r.is_in_use for r in records[1:])
    assert records[0].value == pytest.approx(bench.value(losses_in_use))
    assert study.best().value == min(r.value for r in records if r.value is not None) <= records[0].value

    again = study_in(tmp_path)
    assert again.resumed == 3 and again.records() == records
    fourth = tried(again, bench)
    assert fourth.number == 3 and fourth.parameters not in [record.parameters for record in records]


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Trials that do as they are told instead of training."""

    def script(*trials: list[float] | BaseException) -> None:
        todo = iter(trials)

        def passes(bench: Bench, config: ModelConfig) -> Iterator[Pass]:
            told = next(todo)
            if isinstance(told, BaseException):
                raise told
            for epoch, loss in enumerate(told, 1):
                yield Pass(window=1, windows=1, epoch=epoch, epochs=len(told), losses={"profile": loss}, is_best=True)

        monkeypatch.setattr(tuning_trial, "try_settings", passes)
        monkeypatch.setattr(tuning_trial, "config_of", lambda parameters, config: config)

    return script


def test_other_samples_are_another_study_that_begins_with_the_best(
    scripted: Callable[..., None], tmp_path: Path
) -> None:
    scripted(*[[0.9], [0.8]] * 2)
    study = study_in(tmp_path)
    for _ in range(2):
        tried(study)
    tomorrow = study_in(tmp_path, night="two")
    assert tomorrow.resumed == 0
    first, second = (tried(tomorrow).parameters for _ in range(2))
    assert (first, second) == (study.in_use, study.best().parameters)
    assert study_in(tmp_path, QUICK.model_copy(update={"batch_rows": 256})).resumed == 0, (
        "compared under other settings"
    )


def test_bad_trials_are_given_up_but_never_the_settings_in_use(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9, 0.9], [0.5, 0.5], [0.5, 0.4], [0.6, 0.5], [0.8, 0.1], [0.95, 0.95])
    study = study_in(tmp_path)
    records = [tried(study) for _ in range(5)]
    assert [record.state for record in records] == [*["completed"] * 4, "pruned"]
    assert records[-1].detail == "0.8000 at window 1/1, pass 1/2: worse than the median of the others there"
    assert records[-1].losses == {"profile": 0.8}
    other = study_in(tmp_path, QUICK.model_copy(update={"dropout": 0.45}))
    in_use = tried(other)
    assert other.name == study.name and in_use.is_in_use and in_use.state == "completed"
    assert study.best().number == 2


def test_a_fault_of_settings_ends_their_trial_only(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9], FloatingPointError("no finite loss"), RuntimeError("singular"), [0.8])
    study = study_in(tmp_path)
    records = [tried(study) for _ in range(4)]
    assert [record.state for record in records] == ["completed", "failed", "failed", "completed"]
    assert records[1].detail == "FloatingPointError: no finite loss" and records[1].value is None
    assert study_in(tmp_path).resumed == 4


def test_a_fault_of_the_settings_in_use_is_raised(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted(RuntimeError("singular"), [0.9])
    with pytest.raises(RuntimeError, match="singular"):
        tried(study_in(tmp_path))
    again = study_in(tmp_path)
    assert tried(again).is_in_use


@pytest.mark.parametrize("apart", [{"sharing": "single"}, {"sharing": "relationship", "trunk_widths": "[64]"}])
def test_settings_that_do_not_go_together_are_told_so(apart: dict[str, str], tmp_path: Path) -> None:
    study = study_in(tmp_path)
    study.study.enqueue_trial(study.in_use | {"balancing": "upgrad"} | apart)
    study.study.ask()  # the settings in use
    record = tried(study)
    assert record.state == "pruned" and record.detail.startswith('balancing = "upgrad" compares gradients')


def test_what_is_interrupted_or_killed_is_tried_again(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9], [0.8, 0.7], [0.8, 0.7])
    study = study_in(tmp_path)
    tried(study)
    stopped = tried(study, is_over=lambda: True)
    assert stopped.state == "interrupted" and "minutes were over at window 1/1, pass 1/2" in stopped.detail
    again = tried(study_in(tmp_path))
    assert again.state == "completed" and again.parameters == stopped.parameters

    # A killed process says nothing: its trial is still running when the next one looks.
    killed = study_in(tmp_path).next_trial()
    after = study_in(tmp_path)
    assert [record.state for record in after.records()] == ["completed", "interrupted", "completed", "interrupted"]
    assert after.next_trial().params == killed.params


def test_a_trial_that_somebody_stops_is_tried_again(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9], KeyboardInterrupt(), [0.8])
    study = study_in(tmp_path)
    tried(study)
    with pytest.raises(KeyboardInterrupt):
        tried(study)
    again = study_in(tmp_path)
    assert [record.state for record in again.records()] == ["completed", "interrupted"]
    assert tried(again).parameters == again.records()[1].parameters


def test_a_torn_line_of_the_journal_is_forgotten(scripted: Callable[..., None], tmp_path: Path) -> None:
    """A crash of the machine leaves half a line; what came before stays, what comes after can be read."""
    scripted([0.9], [0.8], [0.7])
    study = study_in(tmp_path)
    torn = [tried(study) for _ in range(2)][1]
    journal = tmp_path / JOURNAL
    journal.write_bytes(journal.read_bytes()[:-20])
    after = study_in(tmp_path)
    assert [record.state for record in after.records()] == ["completed", "interrupted"]
    assert tried(after).parameters == torn.parameters
    assert [record.value for record in study_in(tmp_path).records()] == [0.9, None, 0.7]


def test_a_trial_reports_each_pass(scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9, 0.8])
    said: list[tuple[str, float | None]] = []
    with listening(lambda message, done: said.append((message, done))):
        tried(study_in(tmp_path))
    assert said == [
        ("trial 0 at 0.9000, window 1/1, pass 1/2: profile 0.900", 0.5),
        ("trial 0 at 0.8000, window 1/1, pass 2/2: profile 0.800", 1.0),
    ]
    worse = Pass(window=1, windows=2, epoch=3, epochs=3, losses={"profile": 0.8}, is_best=False)
    assert in_words(worse) == "window 1/2, pass 3/3: no better"


# --- the diary -------------------------------------------------------------------------------------------------------


def test_every_trial_is_a_row(small: duckdb.DuckDBPyConnection, scripted: Callable[..., None], tmp_path: Path) -> None:
    scripted([0.9], RuntimeError("singular"), [0.8, 0.7])
    study = study_in(tmp_path)
    for is_over in (never, never, lambda: True):
        tried(study, is_over=is_over)
    for _ in range(2):
        write_trials(small, study.name, "night-1", study.records())
    rows = small.execute(
        "select trial_number, run_id, state, is_in_use, value, task_losses_json, parameters_json, seconds >= 0,"
        " age(started_at) < interval 1 day from ops.tuning_trials order by trial_number"
    ).fetchall()
    assert [row[:5] for row in rows] == [
        (0, "night-1", "completed", True, 0.9),
        (1, "night-1", "failed", False, None),
        (2, "night-1", "interrupted", False, None),
    ]
    assert json.loads(rows[0][5]) == {"profile": 0.9} and json.loads(rows[0][6]) == study.in_use
    assert all(row[7:] == (True, True) for row in rows)


def test_leaving_out_a_task_tells_who_learns_from_it(bench: Bench) -> None:
    newest = bench.origins[0]
    few = Bench((type(newest)(day=newest.day, tasks=("profile", "promotion"), lesson=newest.lesson),), {})
    steps = list(leave_one_out(few, QUICK))
    assert [left for left, _ in steps] == ["profile", "promotion"]
    gains = {pair: gain for _, found in steps for pair, gain in found.items()}
    assert set(gains) == {("promotion", "profile"), ("profile", "promotion")}
    together, alone = final_losses(few, QUICK), final_losses(few, QUICK, "promotion")
    assert gains["profile", "promotion"] == pytest.approx(alone["profile"] / together["profile"] - 1)
    assert all(math.isfinite(gain) for gain in gains.values())


def test_gains_are_a_table_of_who_misses_whom() -> None:
    rows = losses_without({("b", "a"): 0.0312, ("a", "b"): -0.004})
    assert rows == [{"without": "a", "a": "", "b": "+3.1%"}, {"without": "b", "a": "-0.4%", "b": ""}]


def test_gains_join_what_is_known_of_a_pair(small: duckdb.DuckDBPyConnection) -> None:
    small.execute(
        "insert into ops.task_interactions (run_id, task, other_task, gradient_cosine) values ('n', 'a', 'b', 0.5)"
    )
    for gain in (0.1, 0.2):
        write_gains(small, "n", {("a", "b"): gain, ("b", "a"): -0.1})
    assert small.execute(
        "select task, other_task, gradient_cosine, gain_over_single from ops.task_interactions order by all"
    ).fetchall() == [("a", "b", 0.5, 0.2), ("b", "a", None, -0.1)]
