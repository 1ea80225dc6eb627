"""A model that starts from another shop's: features are matched by name, what is the other shop's own stays there."""

from __future__ import annotations

from dataclasses import replace

import polars as pl
import pytest
import torch

from mtl_models import warm_start
from mtl_models.fit import fit
from mtl_models.model import JointModel
from mtl_models.predict import predict_uncalibrated
from mtl_models.preprocess import CLIP, EntitySpec, Scaler, Vocabulary
from mtl_models.relative_losses import start_losses
from mtl_models.samples import EntityTable
from tests.mtl_models.toy_shop import CONFIG, Shop, Trained, make_shop, new_model

ANOTHER = "banks.shared.slots.user"


def rearranged(shop: Shop) -> Shop:
    """The same shop, told by someone else: users' numbers in another order and one more, another word before the one
    that is known, users of other names."""
    table, spec = shop.entities["user"], shop.preprocessing.entities["user"]
    order = [2, 0, 3, 1]
    names = (*(spec.numbers.names[i] for i in order), "points")
    numbers = Scaler(
        names=names,
        lowest=(-CLIP,) * 5,
        highest=(CLIP,) * 5,
        is_log=(False,) * 5,
        mean=(0.0,) * 5,
        scale=(1.0,) * 5,
        is_sometimes_missing=(False,) * 5,
    )
    told = EntityTable(
        ids=table.ids,
        categories=torch.cat([torch.ones_like(table.categories), table.categories], dim=1),
        numbers=torch.cat([table.numbers[:, order], torch.randn(len(table), 1)], dim=1),
    )
    words = {"colour": Vocabulary(words=("red",))} | spec.categories
    users = EntitySpec(ids=Vocabulary(words=("someone", *spec.ids.words[1:])), categories=words, numbers=numbers)
    preprocessing = shop.preprocessing.model_copy(update={"entities": shop.preprocessing.entities | {"user": users}})
    return replace(shop, preprocessing=preprocessing, entities=shop.entities | {"user": told})


def without_ids(shop: Shop) -> dict[str, EntityTable]:
    return {slot: replace(table, ids=torch.zeros_like(table.ids)) for slot, table in shop.entities.items()}


def test_features_are_found_by_name_and_a_new_one_starts_without_effect(trained: Trained) -> None:
    """Told in another order, and with more, the same users get the same predictions; where ids are known, by id."""
    told = rearranged(trained.shop)
    rows = {"profile": told.validation["profile"], "recommendation": told.validation["recommendation"]}
    for is_same_shop in (True, False):
        tonight = new_model(told)
        taken = warm_start.copy_weights(trained.model, tonight, is_same_shop=is_same_shop)
        entities = dict(trained.shop.entities) if is_same_shop else without_ids(trained.shop)
        first = torch.where(entities["user"].ids == 1, 0, entities["user"].ids)
        entities["user"] = replace(entities["user"], ids=first)
        before, after = (
            predict_uncalibrated(*pair, rows) for pair in ((trained.model, entities), (tonight, told.entities))
        )
        for task, columns in before.items():
            for name, values in columns.items():
                torch.testing.assert_close(after[task][name], values, rtol=1e-4, atol=1e-4)
        assert set(taken.new_features) == {"user.points", "user.colour"}
        assert f"{ANOTHER}.project.weight" in taken.part and f"{ANOTHER}.categories.colour" in taken.left


def test_another_shop_keeps_its_ids_its_elasticities_and_its_calibrations(trained: Trained) -> None:
    tonight = new_model(trained.shop)
    fresh = {name: tensor.clone() for name, tensor in tonight.state_dict().items()}
    taken = warm_start.copy_weights(trained.model, tonight, is_same_shop=False)
    now = tonight.state_dict()
    own = ("curve.slope", "curve.own_shift", "curve.own_spread", "curve.prior_spread")
    kept = [name for name in now if name.startswith(own) or ".calibration." in name]
    assert len(kept) > 5 and all(torch.equal(now[name], fresh[name]) for name in kept)
    assert {name.split(".")[0] for name in taken.left} == {"curve", "heads"}
    ids = now[f"{ANOTHER}.ids.weight"]
    assert torch.equal(ids, trained.model.state_dict()[f"{ANOTHER}.ids.weight"][:1].expand_as(ids))
    assert "curve" in str(taken) and f"{len(taken.whole)} of " in str(taken)


def test_all_of_ones_own_model_is_taken(trained: Trained) -> None:
    taken = warm_start.copy_weights(trained.model, new_model(trained.shop))
    assert taken.part == taken.left == taken.new_features == ()


def test_what_was_known_is_read_on_the_earlier_scale() -> None:
    """In another order, one that was constant before, one that is new, and one that was never missing."""
    days = pl.DataFrame({"days": [1.0, 2.0, 3.0, 4.0, 5.0], "flat": [7.0] * 5})
    before = Scaler.fit(days, ("days", "flat")).model_copy(update={"bins": ((0, -1.0, 0.0), (0, 0.0, 2.0))})
    frame = pl.DataFrame({"points": [0.0, 5.0, 9.0], "flat": [6.0, 8.0, 9.0], "days": [100.0, None, 300.0]})
    alone = Scaler.fit(frame, ("points", "flat", "days"))
    alone = alone.model_copy(update={"bins": ((0, -3.0, 3.0), (1, -4.0, 4.0), (2, -5.0, 5.0))})
    now = alone.on_scales_of(before)
    assert now.columns == ("points", "flat", "days", "days is missing")
    assert [now.mean[i] for i in (0, 1)] == [alone.mean[i] for i in (0, 1)], "what taught nothing is read as tonight"
    assert (now.mean[2], now.scale[2], now.is_log[2]) == (before.mean[0], before.scale[0], before.is_log[0])
    assert now.bins == ((0, -3.0, 3.0), (1, -4.0, 4.0), (2, -1.0, 0.0), (2, 0.0, 2.0))
    known = days.with_columns(points=pl.lit(0.0))
    assert torch.equal(now.transform(known)[:, 2], before.transform(days)[:, 0])


def test_a_scale_that_knows_all_is_the_earlier_one_but_for_the_range() -> None:
    frame = pl.DataFrame({"days": [1.0, 2.0, None, 4.0], "points": [3.0, 1.0, 0.0, 9.0]})
    before = Scaler.fit(frame, ("days", "points")).model_copy(update={"bins": ((0, -1.0, 1.0), (1, -1.0, 1.0))})
    later = Scaler.fit(frame * 2, ("days", "points"))
    assert later.on_scales_of(before) == before.model_copy(update={"highest": later.highest})


@pytest.mark.parametrize("seed", [1, 2])
def test_a_new_shop_with_a_tenth_of_the_data_learns_more_from_another_shops_model(trained: Trained, seed: int) -> None:
    shop = make_shop(seed)
    generator = torch.Generator().manual_seed(seed)
    few = {
        table: rows.take(torch.randperm(len(rows), generator=generator)[: len(rows) // 10])
        for table, rows in shop.train.items()
    }
    shop = replace(shop, train=few)
    cold, warm = (best_losses(shop, start) for start in (None, trained.model))
    assert sum(warm.values()) / len(warm) < sum(cold.values()) / len(cold) - 0.05, (cold, warm)
    assert sum(warm[task] < cold[task] for task in cold) >= 7, (cold, warm)


def best_losses(shop: Shop, start: JointModel | None) -> dict[str, float]:
    """{task: relative validation loss} of the best pass."""
    model = new_model(shop, CONFIG.model_copy(update={"patience": 2, "finish_epochs": 0}))
    scales = start_losses(model, shop.entities, shop.train)
    if start is not None:
        warm_start.copy_weights(start, model, is_same_shop=False)
    weights = dict.fromkeys(model.tasks, 1.0)
    passes = fit(model, shop.entities, shop.train, shop.validation, scales=scales, weights=weights, epochs=14)
    return dict(min(passes, key=lambda epoch: epoch.validation_loss).validation_losses)
