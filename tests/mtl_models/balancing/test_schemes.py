"""The order in which tasks are trained."""

from __future__ import annotations

import pytest
import torch

from mtl_models.config import ModelConfig
from mtl_models.fit import pretrain
from mtl_models.model import JointModel
from mtl_models.relative_losses import start_losses
from mtl_models.schemes import MeanOfRuns, batches, passes_alone, trained_by
from tests.mtl_models.balancing.linear_tasks import FEW_TASKS, few_tasks, learn
from tests.mtl_models.toy_shop import CONFIG, Shop


def of(scheme: str, **settings: object) -> ModelConfig:
    return CONFIG.model_copy(update={"scheme": scheme} | settings)


def one_pass(few: Shop, scheme: str) -> list[dict[str, int]]:
    """{table: rows} of each step."""
    steps = batches(few.train, of(scheme), torch.Generator().manual_seed(0))
    return [{table: len(part) for table, part in batch.items()} for batch in steps]


def alone(few: Shop, model: JointModel, *tasks: str) -> JointModel:
    """The model after each task had three passes to itself."""
    weights = {task: float(task in tasks) for task in FEW_TASKS}
    scales = start_losses(model, few.entities, few.train)
    list(pretrain(model, few.entities, few.train, few.validation, scales=scales, weights=weights, epochs=3))
    return model


def test_alternating_takes_the_same_rows_one_table_a_step_in_turn(few: Shop) -> None:
    joint, alternating = one_pass(few, "joint"), one_pass(few, "alternating")
    assert all(len(step) == len(few.train) for step in joint)
    assert all(len(step) == 1 for step in alternating)
    assert [table for step in alternating for table in step] == list(few.train) * len(joint)
    assert [rows for step in joint for rows in step.items()] == [rows for step in alternating for rows in step.items()]


def test_passes_alone_are_a_share_of_all() -> None:
    assert passes_alone(of("pretrain_then_joint"), 5) == 2
    assert passes_alone(of("pretrain_then_joint", pretrain_share=0.9), 5) == 4
    assert passes_alone(of("pretrain_then_joint"), 1) == 0, "a warm-started night is joint"
    assert passes_alone(of("joint"), 5) == passes_alone(of("alternating"), 5) == 0


def test_the_mean_of_runs_is_over_those_that_trained_it() -> None:
    runs = MeanOfRuns({"shared": torch.zeros(2), "own": torch.zeros(1), "untouched": torch.ones(1)})
    runs.add({"shared": torch.tensor([1.0, 2.0]), "own": torch.tensor([5.0])})
    runs.add({"shared": torch.tensor([3.0, 0.0])})
    mean = runs.mean()
    assert mean["shared"].tolist() == [2.0, 1.0]
    assert mean["own"].tolist() == [5.0] and mean["untouched"].tolist() == [1.0]


def test_alone_a_task_keeps_its_own_parts_and_gives_its_half_of_the_shared(few: Shop) -> None:
    profile, days = (alone(few, few_tasks(few), task) for task in ("profile", "service_days"))
    both = dict(alone(few, few_tasks(few), "profile", "service_days").named_parameters())
    start = dict(few_tasks(few).named_parameters())
    for name, parameter in profile.named_parameters():
        other = days.get_parameter(name)
        if name.startswith("heads.profile."):
            assert torch.equal(both[name], parameter)
        elif name.startswith("heads.service_days."):
            assert torch.equal(both[name], other)
        elif name.startswith("heads."):
            assert torch.equal(both[name], start[name]), "of a task that was not trained"
        elif name.startswith("sharing."):
            assert not torch.equal(parameter, other)
            torch.testing.assert_close(both[name], (parameter + other) / 2)


def test_alone_and_then_together(few: Shop) -> None:
    model = few_tasks(few, scheme="pretrain_then_joint", finish_epochs=0)
    epochs = learn(few, model, epochs=4)
    first, then = epochs[: 2 * len(FEW_TASKS)], epochs[2 * len(FEW_TASKS) :]
    assert [list(epoch.validation_losses) for epoch in first] == [[task] for task in FEW_TASKS for _ in range(2)]
    assert all(epoch.number == 0 and epoch.skipped_steps == 0 for epoch in first)
    assert [epoch.number for epoch in then] == [1, 2]
    assert then[-1].validation_loss < 0.97


@pytest.mark.parametrize("scheme", ["joint", "alternating", "pretrain_then_joint"])
def test_a_scheme_learns_and_repeats_by_its_seed(scheme: str, few: Shop) -> None:
    models = [few_tasks(few, scheme=scheme) for _ in range(2)]
    losses = [learn(few, model, epochs=3)[-2].validation_loss for model in models]
    assert losses[0] == losses[1] < 0.97
    weights = [model.state_dict() for model in models]
    assert all(torch.equal(weights[0][name], weights[1][name]) for name in weights[0])


def test_a_task_trains_what_its_loss_depends_on(few: Shop) -> None:
    trained = trained_by("promotion", few_tasks(few).eval(), few.entities, few.train)
    heads = {name.split(".")[1] for name in trained if name.startswith("heads.")}
    assert heads == {"promotion"}
    assert any(name.startswith("sharing.") for name in trained)


def test_a_penalty_on_all_tasks_trains_none_of_them(few: Shop) -> None:
    """Soft sharing pulls every task's trunk towards the common one, in the runs of other tasks too."""
    profile, both = (alone(few, few_tasks(few, sharing="soft"), *t) for t in (["profile"], ["profile", "service_days"]))
    own = [name for name, _ in profile.named_parameters() if name.startswith("sharing.") and ".profile." in name]
    assert own and all(torch.equal(profile.get_parameter(name), both.get_parameter(name)) for name in own)
