from __future__ import annotations

import numpy as np
import polars as pl
import pytest
import torch

from mtl_models import FrameError, TaskSpec
from mtl_models.tabular.targets import KINDS, Target, fit_target
from tests.mtl_models.tabular.conftest import TASKS, people


@pytest.mark.parametrize("spec", TASKS, ids=lambda spec: spec.name)
def test_no_constant_beats_a_residual_of_zero(spec: TaskSpec) -> None:
    frame = people(500)
    target = fit_target(spec, frame)
    label = target.read(frame[spec.label])
    start = target.losses(torch.zeros(len(label), target.outputs), label).mean()
    for output in range(target.outputs):
        for shift in (-0.2, 0.2):
            residual = torch.zeros(len(label), target.outputs)
            residual[:, output] = shift
            assert target.losses(residual, label).mean() > start - 1e-3
    assert (target.losses(torch.zeros(len(label), target.outputs), label) >= -1e-6).all()


def predicted(spec: TaskSpec, labels: list, raw: list[list[float]]) -> list[list[float]]:
    target = fit_target(spec, pl.DataFrame({spec.label: labels}))
    return target.predictions(torch.tensor(raw)).tolist()


def test_constants_are_predicted_in_the_unit_of_the_label() -> None:
    assert predicted(TaskSpec("y", "binary"), [True, False, False, None], [[0.0]])[0] == pytest.approx([1 / 3])
    assert predicted(TaskSpec("y", "multiclass"), ["b", "a", "b", None], [[0.0, 0.0]])[0] == pytest.approx(
        [1 / 3, 2 / 3]
    )
    assert predicted(TaskSpec("y", "regression"), [1.0, 2.0, 6.0], [[0.0]])[0] == pytest.approx([3.0])
    assert predicted(TaskSpec("y", "count"), [0, 1, 5], [[0.0]])[0] == pytest.approx([2.0])
    quantiles = TaskSpec("y", "quantile", levels=(0.25, 0.5))
    assert predicted(quantiles, [0.0, 1.0, 2.0, 3.0, 4.0], [[0.0, 0.0]])[0] == pytest.approx([1.0, 2.0], rel=1e-4)


@pytest.mark.parametrize("residual", [-50.0, -1.0, 0.0, 1.0, 50.0])
def test_quantiles_never_cross(residual: float) -> None:
    target = fit_target(TaskSpec("y", "quantile"), pl.DataFrame({"y": [0.0, 1.0, 1.0, 5.0]}))
    values = target.predictions(torch.tensor([[0.0, residual, residual], [residual, -residual, 0.0]]))
    assert (values.diff(dim=1) >= 0).all()


def test_probabilities_add_up_and_carry_the_classes() -> None:
    target = fit_target(TaskSpec("y", "multiclass"), pl.DataFrame({"y": [3, 1, 2, 2]}))
    assert target.names() == ("1", "2", "3")
    torch.testing.assert_close(target.predictions(torch.randn(7, 3)).sum(dim=1), torch.ones(7))


def test_a_class_that_training_lacks_is_a_missing_label() -> None:
    target = fit_target(TaskSpec("y", "multiclass"), pl.DataFrame({"y": ["a", "b"]}))
    assert np.isnan(target.read(pl.Series("y", ["c", None])).numpy()).all()


@pytest.mark.parametrize(
    ("spec", "labels", "message"),
    [
        (
            TaskSpec("y", "binary"),
            ["yes", "no"],
            r"true/false or 0/1; say which word is true: .* y is String: 'no', 'yes'",
        ),
        (TaskSpec("y", "binary"), [0, 1, 2], "true/false or 0/1"),
        (TaskSpec("y", "count"), [-1, 2], "whole numbers from 0"),
        (TaskSpec("y", "count"), [0.5, 2.0], "whole numbers from 0"),
        (TaskSpec("y", "multiclass"), [0.5, 2.0], "words or whole numbers"),
        (TaskSpec("y", "regression"), ["a", "b"], "labels of kind regression are numbers; y is String"),
        *((TaskSpec("y", kind), [None, None], "holds no label") for kind in KINDS),
        (TaskSpec("y", "regression", column="z"), [1.0], "no column z"),
    ],
)
def test_wrong_labels_are_named(spec: TaskSpec, labels: list, message: str) -> None:
    with pytest.raises(FrameError, match=message):
        fit_target(spec, pl.DataFrame({"y": labels}))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "", "kind": "binary"}, "needs a name"),
        ({"name": "y", "kind": "ordinal"}, "binary"),
        ({"name": "y", "kind": "count", "positive": "a"}, "only binary tasks"),
        ({"name": "y", "kind": "quantile", "levels": (0.9, 0.1)}, "levels must rise"),
        ({"name": "y", "kind": "quantile", "levels": (0.5, 1.0)}, "less than 1"),
    ],
)
def test_a_task_that_makes_no_sense_is_named(arguments: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        TaskSpec(**arguments)


def test_scores_of_a_perfect_prediction() -> None:
    label = np.array([0.0, 1.0, 1.0, 3.0])
    target: Target = fit_target(TaskSpec("y", "regression"), pl.DataFrame({"y": label}))
    assert target.score(label, label[:, None]) == pytest.approx({"rmse": 0, "mae": 0, "spearman": 1})
