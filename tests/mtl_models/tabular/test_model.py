from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import torch
from polars.testing import assert_frame_equal

from mtl_models import FrameError, MultiTaskModel, TaskSpec
from mtl_models.checkpoint import CheckpointError
from mtl_models.sharing import ARCHITECTURES
from mtl_models.tabular.network import TabularNetwork
from tests.mtl_models.tabular.conftest import SETTINGS, TASKS, people, with_gaps

QUICK = SETTINGS | {"max_epochs": 2}


def quick(frame: pl.DataFrame, **settings: object) -> MultiTaskModel:
    return MultiTaskModel(TASKS, **QUICK | settings).fit(frame.drop("taste"))


def metrics(model: MultiTaskModel, frame: pl.DataFrame) -> dict[tuple[str, str], tuple[float, float]]:
    return {(task, metric): (value, constant) for task, metric, value, constant, _ in model.score(frame).iter_rows()}


def test_each_task_finds_the_taste_behind_its_label(trained: MultiTaskModel) -> None:
    test = people(2000, seed=3)
    predicted, taste = trained.predict(test), test["taste"]
    assert pl.DataFrame([predicted["bought"], taste]).corr()[0, 1] > 0.93
    assert pl.DataFrame([predicted["channel"].struct.field("web"), taste]).corr()[0, 1] > 0.93
    assert (predicted["spend"] - (50 + 10 * taste)).abs().mean() < 2.0
    assert (predicted["visits"] / np.exp(0.5 + 0.5 * taste) - 1).abs().mean() < 0.15


def test_scores_beat_the_constant_and_quantiles_cover_what_they_say(trained: MultiTaskModel) -> None:
    found = metrics(trained, people(2000, seed=3))
    for metric in (("bought", "cross_entropy"), ("spend", "rmse"), ("visits", "poisson_deviance")):
        assert found[metric][0] < 0.85 * found[metric][1]
    for level, name in ((0.1, "p10"), (0.5, "p50"), (0.9, "p90")):
        assert found["spend_range", f"coverage_{name}"][0] == pytest.approx(level, abs=0.05)


def test_predictions_have_a_column_for_each_task(trained: MultiTaskModel) -> None:
    predicted = trained.predict(people(5).select("age", "region", "is_member"))
    assert predicted.columns == [task.name for task in TASKS] and len(predicted) == 5
    assert predicted.schema["channel"] == pl.Struct({"shop": pl.Float64, "web": pl.Float64})
    shares = predicted["channel"].struct.unnest()
    assert (shares.sum_horizontal() - 1).abs().max() < 1e-6
    quantiles = predicted["spend_range"].struct.unnest().to_numpy()
    assert (np.diff(quantiles, axis=1) >= 0).all()
    assert trained.predict(people(5).clear()).height == 0


def test_rows_are_filled_up_to_whole_blocks(trained: MultiTaskModel) -> None:
    network = trained.network
    rows = network.encoder.transform(people(5), torch.zeros(5, len(TASKS)))
    x, filled = network.columns(rows), network.columns.width - network.columns.filling
    assert x.shape == (5, network.columns.width) and x.shape[1] % 16 == 0
    assert 0 < network.columns.filling < 16 and not x[:, filled:].any()
    assert torch.equal(x[:, filled - rows.numbers.shape[1] : filled], rows.numbers)


def test_labels_are_no_features(trained: MultiTaskModel) -> None:
    test = people(50, seed=4)
    assert_frame_equal(trained.predict(test), trained.predict(test.drop([task.label for task in TASKS], strict=False)))


def test_rows_are_predicted_alike_in_any_order_and_company(trained: MultiTaskModel) -> None:
    test = people(60, seed=5)
    assert_frame_equal(trained.predict(test)[10:20], trained.predict(test[10:20]), abs_tol=0.05, rel_tol=0.01)
    assert_frame_equal(trained.predict(test).reverse(), trained.predict(test.reverse()), abs_tol=0.05, rel_tol=0.01)


def test_a_seed_gives_the_same_model_and_another_another() -> None:
    frame = people(400)
    first, again, other = (quick(frame, seed=seed).predict(frame) for seed in (0, 0, 1))
    assert_frame_equal(first, again)
    assert not first.equals(other)


def test_before_training_a_network_is_the_constant_predictor() -> None:
    frame = people(300)
    model = quick(frame, max_epochs=1, learning_rate=1e-12)
    assert (model.predict(frame)["spend"] - frame["spend"].mean()).abs().max() < 0.01
    assert (model.predict(frame)["bought"] - frame["bought"].mean()).abs().max() < 1e-3


def network_of(frame: pl.DataFrame, **settings: object) -> TabularNetwork:
    return MultiTaskModel(TASKS, **QUICK | {"precision": "float32"} | settings).fit(frame.drop("taste")).network


def test_a_missing_label_teaches_nothing() -> None:
    """The gradients are those of the rows whose label is known, whatever the features of the others."""
    frame = people(64)
    network = network_of(frame)
    hidden = frame.with_columns(pl.when(pl.int_range(64) < 40).then(pl.col("spend")).alias("spend"))
    losses = []
    for part in (hidden, frame[:40]):
        labels = torch.stack([target.read(part[target.spec.label]) for target in network.targets], dim=1)
        losses.append(network.losses(network(network.encoder.transform(part.drop("taste"), labels)), labels))
    torch.testing.assert_close(losses[0]["spend"], losses[1]["spend"])
    gradients = torch.autograd.grad(losses[0]["spend"], network.columns.words)[0]
    expected = torch.autograd.grad(losses[1]["spend"], network.columns.words)[0]
    torch.testing.assert_close(gradients, expected)


def test_members_differ_and_their_mean_is_the_prediction() -> None:
    frame = people(200)
    network = network_of(frame, members=3, max_epochs=5)
    rows = network.encoder.transform(frame, torch.zeros(200, len(TASKS)))
    raw = network(rows)
    assert raw[2].shape == (3, 200, 1) and raw[2].std(dim=0).max() > 1e-3
    torch.testing.assert_close(network.predictions(raw)[0], network.targets[0].predictions(raw[0]).mean(dim=0))


def test_the_best_pass_is_kept_and_training_stops_after_patience() -> None:
    train, validation = people(150), people(500, seed=2).drop("taste")
    model = MultiTaskModel(TASKS, **SETTINGS, learning_rate=3e-2, max_epochs=60, patience=2, dropout=0.0)
    model.fit(train.drop("taste"), validation)
    totals = [sum(epoch.validation_losses.values()) for epoch in model.history]
    assert len(totals) < 60 and totals.index(min(totals)) == len(totals) - 4
    labels = torch.stack([target.read(validation[target.spec.label]) for target in model.network.targets], dim=1)
    raw = model.network(model.network.encoder.transform(validation, labels))
    total = sum(loss.item() for loss in model.network.losses(raw, labels).values())
    assert total == pytest.approx(min(totals), rel=0.02)


def test_a_task_without_weight_is_not_learned() -> None:
    frame = people(400)
    tasks = [TaskSpec("spend", "regression"), TaskSpec("visits", "count", weight=0.0)]
    model = MultiTaskModel(tasks, **QUICK).fit(frame.drop("taste"))
    assert (model.predict(frame)["visits"] - frame["visits"].mean()).abs().max() < 1e-3
    assert model.predict(frame)["spend"].std() > 0.1


@pytest.mark.parametrize("sharing", ARCHITECTURES)
def test_every_way_of_sharing_serves_a_table(sharing: str) -> None:
    frame = people(600)
    found = metrics(quick(frame, sharing=sharing, max_epochs=4, learning_rate=1e-2), people(600, seed=3))
    assert found["spend", "rmse"][0] < 0.95 * found["spend", "rmse"][1]
    assert found["bought", "auc"][0] > 0.7


@pytest.mark.parametrize("balancing", ["uncertainty", "dwa", "gradnorm", "rlw", "upgrad"])
def test_ways_of_balancing_serve_a_table(balancing: str) -> None:
    frame = people(600)
    found = metrics(quick(frame, balancing=balancing, max_epochs=4, learning_rate=1e-2), people(600, seed=3))
    assert found["bought", "auc"][0] > 0.7


@pytest.mark.parametrize("columns", [["region", "is_member"], ["age"]], ids=["words", "numbers"])
def test_a_frame_of_words_or_of_numbers_only(columns: list[str]) -> None:
    frame = with_gaps(people(400), columns, 0.2).select(*columns, "bought", "spend", "visits", "channel", "taste")
    assert quick(frame).predict(frame).null_count().sum_horizontal().item() == 0


def test_a_saved_model_predicts_the_same_and_holds_no_code(trained: MultiTaskModel, tmp_path: Path) -> None:
    trained.save(tmp_path / "model")
    assert {file.name for file in (tmp_path / "model").iterdir()} == {"model.json", "model.safetensors"}
    loaded, test = MultiTaskModel.load(tmp_path / "model"), people(100, seed=6)
    assert_frame_equal(trained.predict(test), loaded.predict(test))
    assert loaded.tasks == trained.tasks and loaded.config == trained.config


def test_a_model_that_cannot_be_read_is_named(trained: MultiTaskModel, tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="holds no model that can be read"):
        MultiTaskModel.load(tmp_path)
    trained.save(tmp_path)
    described = json.loads((tmp_path / "model.json").read_text())
    described["config"]["tower_width"] += 1
    (tmp_path / "model.json").write_text(json.dumps(described))
    with pytest.raises(CheckpointError, match="holds no model that can be read"):
        MultiTaskModel.load(tmp_path)


def test_mistakes_are_named() -> None:
    with pytest.raises(ValueError, match="each task needs a name of its own"):
        MultiTaskModel([TaskSpec("y", "binary"), TaskSpec("y", "count")])
    with pytest.raises(ValueError, match="sharng"):
        MultiTaskModel([TaskSpec("y", "binary")], sharng="ple")
    with pytest.raises(ValueError, match="call fit"):
        MultiTaskModel([TaskSpec("y", "binary")]).predict(people(3))
    with pytest.raises(FrameError, match="no label to compare with"):
        quick(people(100)).score(people(10).with_columns(pl.lit(None).alias("bought")))
    with pytest.raises(FrameError, match="no feature"):
        MultiTaskModel([TaskSpec("y", "count")]).fit(pl.DataFrame({"y": [1, 2]}))
