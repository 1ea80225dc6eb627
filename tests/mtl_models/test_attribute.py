"""Credits of features: they add up, and fall on what moved the output."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtl_models.attribute import Attributions, FlatRows, attribute
from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.samples import TaskSamples
from tests.mtl_models.toy_shop import CONFIG, Shop, Trained, new_model

OUTPUTS = (
    ("profile", "buys_28d"),
    ("recommendation", "bought_28d"),
    ("pricing", "elasticity"),
    ("pricing", "log_units"),
    ("promotion", "redeemed"),
    ("service_orders", "contacted"),
    ("service_tickets", "missed"),
)


def rows_of(shop: Shop, task: str, most: int = 40) -> TaskSamples:
    return shop.validation[TASKS[task].table].take(slice(0, most))


@pytest.mark.parametrize(("task", "output"), OUTPUTS)
def test_credits_add_up_to_what_the_model_says(trained: Trained, task: str, output: str) -> None:
    rows = rows_of(trained.shop, task)
    found = attribute(trained.model, trained.shop.entities, rows, task, output)
    with torch.no_grad():
        said = trained.model(trained.shop.entities, {TASKS[task].table: rows})[task][output]
    assert found.output.allclose(said, atol=1e-5), "the flat rows are the rows"
    assert found.is_complete.all()
    assert (found.output - found.reference).abs().max() > 0.05, "there is something to explain"


@pytest.mark.parametrize("sharing", ["single", "ple", "cross_stitch"])
def test_every_sharing_is_explained(shop: Shop, sharing: str) -> None:
    model = new_model(shop, CONFIG.model_copy(update={"sharing": sharing}))
    with torch.no_grad():
        for task in ("promotion", "recommendation"):
            for parameter in model.head(task).parameters():
                parameter.add_(0.3 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    for task, output in (("promotion", "redeemed"), ("recommendation", "bought_28d")):
        found = attribute(model, shop.entities, rows_of(shop, task), task, output)
        assert found.is_complete.all()
        assert (found.values.abs().sum(dim=1) > 0).all()


def test_a_linear_output_credits_weight_times_difference(trained: Trained) -> None:
    shop, weights = trained.shop, torch.tensor([1.0, -2.0, 0.5, 0.0])
    rows = rows_of(shop, "profile")
    flat = FlatRows(trained.model, shop.entities, rows, "profile", "buys_28d")
    numbers = [i for i, (_, column) in enumerate(flat.features) if column.startswith("number_")]
    matrix = torch.zeros(flat.matrix.shape[1])
    matrix[:4] = weights

    class Linear(FlatRows):
        def __call__(self, rows: torch.Tensor, index: torch.Tensor) -> torch.Tensor:
            return rows @ matrix + 7.0

    credits = Linear(trained.model, shop.entities, rows, "profile", "buys_28d").credits(torch.arange(len(rows)), 4)
    expected = shop.entities["user"].numbers[rows.slots["user"]] * weights
    assert torch.allclose(credits[:, numbers], expected, atol=1e-5)
    assert credits.sum(dim=1).allclose(expected.sum(dim=1), atol=1e-5), "words are not in it"


def without(model: JointModel, column: int) -> JointModel:
    """The model, deaf to one number of users."""
    with torch.no_grad():
        model.banks["shared"].slots["user"].project.weight[:, column] = 0.0  # type: ignore[union-attr,index]
    return model


def test_a_feature_that_the_model_ignores_gets_nothing(trained: Trained) -> None:
    model = new_model(trained.shop)
    model.load_state_dict(trained.model.state_dict())
    found = attribute(without(model, 2), trained.shop.entities, rows_of(trained.shop, "profile"), "profile", "buys_28d")
    credits = dict(zip(found.features, found.values.abs().amax(dim=0).tolist(), strict=True))
    assert credits["user", "number_2"] == 0.0
    assert credits["user", "number_1"] > 0.0


def test_an_average_row_has_nothing_to_explain(trained: Trained) -> None:
    shop = trained.shop
    user = shop.entities["user"]
    average = replace(user, numbers=torch.zeros_like(user.numbers), categories=torch.zeros_like(user.categories))
    rows = rows_of(shop, "profile")
    found = attribute(trained.model, shop.entities | {"user": average}, rows, "profile", "buys_28d")
    assert found.values.abs().max() == 0.0
    assert found.output.equal(found.reference)


def test_the_order_of_rows_does_not_matter(trained: Trained) -> None:
    rows = rows_of(trained.shop, "recommendation", 50)
    order = torch.randperm(50, generator=torch.Generator().manual_seed(3))
    there, back = (
        attribute(trained.model, trained.shop.entities, part, "recommendation", "bought_28d")
        for part in (rows, rows.take(order))
    )
    assert there.values[order].allclose(back.values, atol=1e-5)


def test_what_the_truth_hangs_on_is_credited_most(trained: Trained) -> None:
    found = attribute(trained.model, trained.shop.entities, rows_of(trained.shop, "promotion"), "promotion", "redeemed")
    sizes = dict(zip(found.features, found.values.abs().mean(dim=0).tolist(), strict=True))
    assert max(sizes, key=lambda feature: sizes[feature]) == ("user", "number_2")
    assert ("user", "id") not in sizes, "its rows show no ids"


def test_an_id_is_credited_where_the_task_sees_it(trained: Trained) -> None:
    found = attribute(
        trained.model, trained.shop.entities, rows_of(trained.shop, "recommendation"), "recommendation", "bought_28d"
    )
    assert {("user", "id"), ("product", "id"), ("product", "word")} <= set(found.features)


def test_credits_that_do_not_add_up_are_flagged() -> None:
    found = Attributions(
        features=(("user", "a"), ("user", "b")),
        values=torch.tensor([[0.6, 0.4], [0.5, 0.4], [0.96, 0.0], [0.001, 0.0]]),
        output=torch.tensor([1.0, 1.0, 1.0, 0.004]),
        reference=torch.zeros(4),
    )
    assert found.is_complete.tolist() == [True, False, True, True]
    assert found.gap.tolist() == pytest.approx([0.0, 0.1, 0.04, 0.003], abs=1e-6)
