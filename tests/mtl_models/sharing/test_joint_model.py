"""Every way of sharing in the joint model: on disk, as a warm start, and what it tells about its tasks."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import torch

from mtl_models import checkpoint, warm_start
from mtl_models.interactions import GradientCosines, expert_shares, learned_correlations
from mtl_models.model import JointModel
from mtl_models.predict import predict
from mtl_models.relative_losses import relative_losses, start_losses
from tests.mtl_models.sharing.tiny import FAMILIES
from tests.mtl_models.toy_shop import CONFIG, Shop, new_model

TASKS = ("pricing", "promotion", "uplift", "supply")
every_family = pytest.mark.parametrize("family", FAMILIES)


def joint(shop: Shop, family: str, tasks: tuple[str, ...] = TASKS, seed: int = 0) -> JointModel:
    narrow = {"slot_width": 8, "trunk_widths": (12, 10), "dropout": 0.0, "seed": seed}
    return new_model(shop, CONFIG.model_copy(update={"sharing": family} | narrow), tasks)


def step(model: JointModel, shop: Shop, cosines: GradientCosines | None = None, times: int = 1) -> JointModel:
    """Some training steps on all rows."""
    rows = {table: shop.train[table] for table in model.tables}
    scales = start_losses(model, shop.entities, rows)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    model.train()
    for _ in range(times):
        losses = relative_losses(model.losses(model(shop.entities, rows), rows), scales)
        if cosines is not None:
            cosines.observe(model, losses, step=0)
        optimiser.zero_grad(set_to_none=True)
        (torch.stack(list(losses.values())).sum() + model.sharing.penalty()).backward()
        optimiser.step()
    return model


def assert_same_predictions(left: JointModel, right: JointModel, shop: Shop) -> None:
    rows = {table: shop.validation[table] for table in left.tables}
    expected, found = (predict(model, shop.entities, rows) for model in (left, right))
    for task, columns in expected.items():
        for name, values in columns.items():
            torch.testing.assert_close(found[task][name], values)


@every_family
def test_a_model_comes_back_from_disk(family: str, shop: Shop, tmp_path: Path) -> None:
    model = step(joint(shop, family), shop, times=2)
    days = {"as_of_date": date(2024, 3, 1), "label_end_date": date(2024, 2, 2)}
    checkpoint.save(tmp_path, model, run_id="night-1", features_version="f1", **days)
    restored, _ = checkpoint.load(tmp_path)
    assert_same_predictions(model, restored, shop)


@every_family
def test_a_warm_start_predicts_as_what_it_came_from(family: str, shop: Shop) -> None:
    earlier, tonight = step(joint(shop, family), shop, times=2), joint(shop, family, seed=1)
    assert not warm_start.other_layers(earlier.config, tonight.config)
    warm_start.copy_weights(earlier, tonight)
    assert_same_predictions(earlier, tonight, shop)


@every_family
def test_a_warm_start_confuses_no_tasks(family: str, shop: Shop) -> None:
    """As many tasks, but others: what was learned for one is never given to another."""
    earlier = step(joint(shop, family, ("pricing", "promotion")), shop, times=2)
    tonight = joint(shop, family, ("promotion", "uplift"), seed=1)
    fresh = {name: tensor.clone() for name, tensor in tonight.named_parameters()}
    warm_start.copy_weights(earlier, tonight)
    source = dict(earlier.named_parameters())
    for name, tensor in tonight.named_parameters():
        is_by_order = name.startswith(tuple(f"sharing.{axis}" for axis in tonight.sharing.task_axes or ["none"]))
        is_known = name in source and source[name].shape == tensor.shape and not is_by_order
        assert torch.equal(tensor, source[name] if is_known else fresh[name]), name


@pytest.mark.parametrize("setting", ["experts", "shared_experts", "specific_experts", "expert_levels"])
def test_other_experts_are_other_layers(setting: str) -> None:
    assert warm_start.other_layers(CONFIG, CONFIG.model_copy(update={setting: 7}))


def test_single_tasks_share_not_even_encoders(shop: Shop) -> None:
    """A branch's loss trains its own bank; pricing and supply are one branch, for demand has one curve."""
    model = step(joint(shop, "single"), shop)
    assert set(model.banks) == {"demand", "promotion", "uplift"}
    rows = {table: shop.train[table] for table in model.tables}
    losses = model.losses(model(shop.entities, rows), rows)
    for task, branch in {"supply": "demand", "promotion": "promotion", "uplift": "uplift"}.items():
        model.zero_grad(set_to_none=True)
        torch.stack(list(losses[task].values())).sum().backward(retain_graph=True)
        owners = {
            name.split(".")[1 if name.startswith("banks") else 2]
            for name, parameter in model.named_parameters()
            if name.startswith(("banks", "sharing")) and parameter.grad is not None
        }
        assert owners == {branch}


@every_family
def test_cosines_are_seen_where_something_is_shared(family: str, shop: Shop) -> None:
    cosines = GradientCosines()
    step(joint(shop, family), shop, cosines, times=2)
    means = cosines.means()
    assert len(means) == (0 if family == "single" else len(TASKS) * (len(TASKS) - 1))
    assert all(abs(cosine) <= 1 + 1e-5 for cosine in means.values())


@pytest.mark.parametrize("family", ["hard", "mmoe", "ple"])
def test_shares_of_experts_are_told_by_task(family: str, shop: Shop) -> None:
    shares = expert_shares(joint(shop, family), shop.entities, shop.validation)
    names = {"hard": (), "mmoe": ("shared_1", "shared_2", "shared_3", "shared_4")}
    experts = names.get(family, ("own_1", "shared_1", "shared_2"))
    assert set(shares) == {(task, expert) for task in TASKS for expert in experts}
    for task in TASKS if experts else ():
        assert sum(share for (of, _), share in shares.items() if of == task) == pytest.approx(1.0)


def test_learned_correlations_are_told_by_task(shop: Shop) -> None:
    assert learned_correlations(joint(shop, "hard")) == {}
    correlations = learned_correlations(joint(shop, "relationship"))
    assert len(correlations) == len(TASKS) * (len(TASKS) - 1)
    assert correlations["pricing", "supply"] == 1.0, "they are one branch"
    assert correlations["pricing", "uplift"] == pytest.approx(0.5, abs=0.01)
