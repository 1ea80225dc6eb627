"""Tasks that read what another says: without effect at the start, held to it as the settings say, and of use."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from mtl_models import checkpoint, warm_start
from mtl_models.attribute import attribute
from mtl_models.config import ConsistencyConfig, ModelConfig, TaskWeights
from mtl_models.fit import fit
from mtl_models.heads import View
from mtl_models.model import JointModel, Rows
from mtl_models.predict import predict
from mtl_models.relative_losses import relative_losses, start_losses
from mtl_models.samples import ABSENT, TaskSamples
from mtl_models.sharing import ARCHITECTURES
from tests.mtl_models.toy_shop import CONFIG, Shop, new_model, samples

USER_LINKS = ("profile->recommendation", "profile->service")
LINKS = (*USER_LINKS, "demand->price")
TASKS = ("profile", "recommendation", "pricing", "supply", "service_orders", "service_tickets")
# {reader: an output that a link moves}.
READ = {"recommendation": "bought_28d", "service_orders": "returned", "service_tickets": "missed"}


def settings(links: tuple[str, ...] = LINKS, sharing: str = "hard", **values: object) -> ModelConfig:
    """A narrow model without dropout."""
    narrow = {"slot_width": 8, "trunk_widths": (12, 10), "dropout": 0.0, "id_dropout": 0.0, "max_epochs": 1}
    consistency = ConsistencyConfig.model_validate({"links": links} | values)
    return CONFIG.model_copy(update=narrow | {"consistency": consistency, "sharing": sharing})


def linked(shop: Shop, config: ModelConfig, tasks: tuple[str, ...] = TASKS) -> JointModel:
    """A model whose every layer says something, as after training."""
    model = new_model(shop, config, tasks).eval()
    generator = torch.Generator().manual_seed(5)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.startswith(("heads.", "consistency.", "curve.level")):
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator))
    return model


def rows_of(shop: Shop, model: JointModel, most: int = 120) -> dict[str, TaskSamples]:
    return {table: shop.validation[table].take(slice(0, most)) for table in model.tables}


def losses(model: JointModel, shop: Shop, rows: Rows, task: str) -> Tensor:
    """The sum of a task's losses, in training."""
    model.train()
    return torch.stack(list(model.losses(model(shop.entities, rows), rows)[task].values())).nansum()


def learn(model: JointModel, shop: Shop, rows: Rows, steps: int) -> JointModel:
    scales = start_losses(model, shop.entities, rows)
    optimiser = torch.optim.AdamW(model.parameters(), lr=0.01)
    model.train()
    for _ in range(steps):
        parts = relative_losses(model.losses(model(shop.entities, rows), rows), scales)
        optimiser.zero_grad(set_to_none=True)
        (torch.stack(list(parts.values())).sum() + model.penalty()).backward()
        optimiser.step()
    return model.eval()


# --- off, and at the start -------------------------------------------------------------------------------------------


def test_without_links_there_is_nothing_of_it(shop: Shop) -> None:
    assert ModelConfig().consistency.links == ()
    model = linked(shop, settings(()))
    assert not [name for name in model.state_dict() if name.startswith("consistency.")]
    assert model.consistency.ask(rows_of(shop, model)) is None
    losses(model, shop, rows_of(shop, model), "profile")
    assert model.penalty() == 0.0


def test_switched_off_it_changes_no_bit_of_training(shop: Shop) -> None:
    trained = []
    for links in ((), LINKS):
        model = new_model(shop, settings(links, beta=1.0, delta=1.0), TASKS)
        rows = [{table: fold[table] for table in model.tables} for fold in (shop.train, shop.validation)]
        scales = start_losses(model, shop.entities, rows[0])
        with model.consistency.off():
            list(fit(model, shop.entities, *rows, scales=scales, weights=dict.fromkeys(TASKS, 1.0), epochs=1))
        trained.append(model.state_dict())
    off, on = trained
    assert all(torch.equal(off[name], on[name]) for name in off)
    assert all((on[name] == 0).all() for name in on.keys() - off.keys()), "nor is anything read"


def test_a_head_starts_as_its_baseline_whatever_it_reads(shop: Shop) -> None:
    reading, plain = (new_model(shop, settings(links), TASKS) for links in (LINKS, ()))
    rows = rows_of(shop, plain)
    expected = predict(plain, shop.entities, rows)
    for task, columns in predict(reading, shop.entities, rows).items():
        for name, values in columns.items():
            torch.testing.assert_close(values, expected[task][name], rtol=0, atol=0)


def test_a_link_without_its_tasks_is_inactive(shop: Shop) -> None:
    for tasks in (("recommendation", "service_orders", "pricing"), ("profile", "supply")):
        model = linked(shop, settings(beta=1.0, delta=1.0), tasks)
        assert not model.consistency.readers and not model.consistency.reads_demand
        losses(model, shop, rows_of(shop, model), tasks[0])
        assert model.penalty() == 0.0


def test_what_is_not_learned_cannot_be_read() -> None:
    with pytest.raises(ValidationError, match=r"task_weights.supply = 0.*Remedy"):
        ModelConfig(consistency=ConsistencyConfig(links=LINKS), task_weights=TaskWeights(supply=0.0))


# --- what is read ----------------------------------------------------------------------------------------------------


def test_readers_hear_what_the_profile_says_of_their_user(shop: Shop) -> None:
    """The log odds move by the same linear function of the profile head's own say, row by row."""
    reading = linked(shop, settings())
    rows = rows_of(shop, reading)
    said = reading(shop.entities, rows)
    with reading.consistency.off():
        own = reading(shop.entities, rows)
        asked = samples({"user": torch.arange(80)}, 80, {}, {})
        encoded = reading.encode(shop.entities, {"profile": asked})
        residuals = reading.head("profile").residuals(View(reading.sharing(encoded)["profile"], {}))
    for task, output in READ.items():
        heads = type(reading.head(task)).log_odds
        users = rows[type(reading.head(task)).table].slots["user"]
        heard = reading.consistency.readers[task](residuals)[users, heads.index(output)]
        torch.testing.assert_close(said[task][output], own[task][output] + heard, rtol=1e-4, atol=1e-5)
        assert heard.abs().max() > 0.05


def test_each_user_is_asked_about_once(shop: Shop) -> None:
    model = linked(shop, settings(("profile->recommendation",)))
    rows = {"recommendation": shop.validation["recommendation"]}
    questions = model.consistency.ask(rows)
    assert questions is not None and len(questions.rows) == 80 < len(rows["recommendation"])
    users = questions.rows.slots["user"][questions.places["recommendation"]]
    assert torch.equal(users, rows["recommendation"].slots["user"])


def test_a_question_names_the_user_and_the_site_of_its_rows(shop: Shop) -> None:
    model = linked(shop, settings(("profile->service",)))
    rows = shop.validation["service_orders"].take(slice(0, 8))
    slots = {
        "user": torch.tensor([3, ABSENT, 3, 7, 3, ABSENT, 0, 7]),
        "site": torch.tensor([0, 0, 2, ABSENT, 0, 0, 2, 1]),
    }
    rows = replace(rows, slots={**rows.slots, **slots})
    questions = model.consistency.ask({"service_orders": rows})
    assert questions is not None and len(questions.rows) == 6
    for slot, named in slots.items():
        assert torch.equal(questions.rows.slots[slot][questions.places["service_orders"]], named)


def test_rows_without_a_user_hear_nothing(shop: Shop) -> None:
    model = linked(shop, settings())
    rows = shop.validation["service_orders"].take(slice(0, 40))
    nobody = torch.where(torch.arange(40) < 20, ABSENT, rows.slots["user"])
    rows = replace(rows, slots={**rows.slots, "user": nobody})
    said = model(shop.entities, {"service_orders": rows})["service_orders"]["contacted"]
    with model.consistency.off():
        own = model(shop.entities, {"service_orders": rows})["service_orders"]["contacted"]
    moved = (said - own).abs()
    assert (moved[:20] < 1e-5).all() and (moved[20:] > 1e-3).any()


@pytest.mark.parametrize("sharing", ARCHITECTURES)
def test_the_order_of_rows_does_not_matter_nor_who_is_asked_along(shop: Shop, sharing: str) -> None:
    model = linked(shop, settings(sharing=sharing))
    rows = rows_of(shop, model)
    straight = model(shop.entities, rows)
    for table, part in rows.items():
        order = torch.randperm(len(part), generator=torch.Generator().manual_seed(2))
        alone = model(shop.entities, {table: part.take(order)})
        for task, outputs in alone.items():
            for name, values in outputs.items():
                torch.testing.assert_close(values, straight[task][name][order], rtol=1e-4, atol=1e-5)


def test_there_is_still_one_curve_and_demand_falls_in_price(shop: Shop) -> None:
    model = linked(shop, settings())
    rows = shop.validation["demand"]
    dearer = replace(rows, inputs={**rows.inputs, "price": rows.inputs["price"] * 1.1})
    cheap, dear = (model.train()(shop.entities, {"demand": part}) for part in (rows, dearer))
    assert (dear["pricing"]["log_units"] <= cheap["pricing"]["log_units"]).all()
    assert (dear["pricing"]["log_units"] < cheap["pricing"]["log_units"]).any()
    torch.testing.assert_close(cheap["pricing"]["log_units"], cheap["supply"]["log_units"])


# --- what it does to training ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("stops_gradient", [True, False])
def test_a_reader_teaches_what_it_reads_unless_the_gradient_is_stopped(shop: Shop, stops_gradient: bool) -> None:
    for reader in ("recommendation", "service_orders", "service_tickets", "pricing"):
        model = linked(shop, settings(stops_gradient=stops_gradient))
        losses(model, shop, rows_of(shop, model), reader).backward()
        is_user_link = reader in model.consistency.readers
        read = model.head("profile").orders if is_user_link else model.curve.level
        learns = [part.grad is not None and bool((part.grad != 0).any()) for part in read.parameters()]
        assert not any(learns) if stops_gradient else all(learns), reader
        f_b = model.consistency.readers[reader].weight if is_user_link else model.curve.slope.weight
        assert (f_b.grad != 0).any()


def test_delta_holds_the_reader_to_what_it_reads_and_beta_what_is_read_to_its_baseline(shop: Shop) -> None:
    def say(**values: float) -> tuple[float, float, float]:
        """How much profile, service itself and the link say (mean squares)."""
        model = new_model(shop, settings(("profile->service",), **values), ("profile", "service_orders"))
        rows = {table: shop.train[table] for table in model.tables}
        learn(model, shop, rows, steps=60)
        said = model(shop.entities, rows)["service_orders"]["contacted"]
        with model.consistency.off():
            own = model(shop.entities, rows)["service_orders"]["contacted"]
        profile = model.sharing(model.encode(shop.entities, {"profile": rows["profile"]}))["profile"]
        residuals = model.head("profile").residuals(View(profile, {}))
        itself = own - model.head("service_orders").constant_logits[0]
        profile_says, service_says, link_says = (
            float(part.detach().square().mean()) for part in (residuals, itself, said - own)
        )
        return profile_says, service_says, link_says

    free, held, drawn = say(beta=0.0, delta=0.0), say(beta=0.0, delta=1e3), say(beta=1e3, delta=0.0)
    assert held[1] < 1e-3 < 0.3 < free[1], "b = b_0 + f_B(a)"
    assert held[2] > 0.01 and held[0] > 0.1
    assert drawn[0] < 1e-3 and drawn[2] < 1e-3 < 0.3 < drawn[1], "what says nothing is not heard"


@pytest.mark.parametrize(
    ("sharing", "balancing", "scheme"),
    [
        ("hard", "upgrad", "joint"),
        ("adversarial", "gradnorm", "pretrain_then_joint"),
        ("single", "uncertainty", "alternating"),
    ],
)
def test_it_trains_with_other_settings(shop: Shop, sharing: str, balancing: str, scheme: str) -> None:
    config = settings(sharing=sharing, stops_gradient=False).model_copy(
        update={"balancing": balancing, "scheme": scheme}
    )
    model = new_model(shop, config, TASKS)
    rows = [{table: fold[table] for table in model.tables} for fold in (shop.train, shop.validation)]
    scales = start_losses(model, shop.entities, rows[0])
    weights = dict.fromkeys(TASKS, 1.0)
    epochs = list(fit(model, shop.entities, *rows, scales=scales, weights=weights, epochs=2))
    assert not any(epoch.skipped_steps or epoch.left_out for epoch in epochs)
    assert all((reader.weight != 0).any() for reader in model.consistency.readers.values())


# --- what goes with a model ------------------------------------------------------------------------------------------


def test_a_link_comes_back_from_disk_and_with_a_warm_start(shop: Shop, tmp_path: Path) -> None:
    model = linked(shop, settings())
    rows = rows_of(shop, model)
    days = {"as_of_date": date(2024, 3, 1), "label_end_date": date(2024, 2, 2)}
    checkpoint.save(tmp_path, model, run_id="night-1", features_version="f1", **days)
    tonight = new_model(shop, settings(), TASKS)
    assert not warm_start.copy_weights(model, tonight).left
    for other in (checkpoint.load(tmp_path)[0], tonight):
        for task, output in READ.items():
            expected, found = (m(shop.entities, rows)[task][output] for m in (model, other))
            torch.testing.assert_close(found, expected)
    plain = new_model(shop, settings(()), TASKS)
    assert not warm_start.copy_weights(model, plain).left, "a link that is gone is left behind"
    taken = warm_start.copy_weights(plain, new_model(shop, settings(), TASKS))
    assert set(taken.left) == {f"consistency.readers.{task}.weight" for task in READ}


@pytest.mark.parametrize("sharing", ["hard", "single"])
def test_explanations_follow_a_link_back_to_the_features(shop: Shop, sharing: str) -> None:
    """With a reader that itself says nothing, all that is credited was heard."""
    model = linked(shop, settings(sharing=sharing))
    for task, output in READ.items():
        for parameter in model.head(task).parameters():
            torch.nn.init.zeros_(parameter)
        rows = shop.validation[type(model.head(task)).table].take(slice(0, 30))
        found = attribute(model, shop.entities, rows, task, output)
        said = model(shop.entities, {type(model.head(task)).table: rows})[task][output]
        assert found.output.allclose(said, atol=1e-5) and found.is_complete.all()
        credits = dict(zip(found.features, found.values.abs().amax(dim=0).tolist(), strict=True))
        assert credits["user", "number_0"] > 0.01 and credits["user", "word"] > 0.0
        assert credits.get(("user", "id"), 0.0) == 0.0, "the profile sees no ids"
