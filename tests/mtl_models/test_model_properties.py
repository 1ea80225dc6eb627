"""What must hold whatever was learned."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtl_models.heads import TASKS
from mtl_models.model import JointModel
from mtl_models.predict import predict
from mtl_models.samples import EntityTable, TaskSamples, concatenate
from tests.mtl_models.toy_shop import CONFIG, Shop, Trained, new_model, train


def with_ids_changed(shop: Shop) -> dict[str, EntityTable]:
    """The same entities under other ids."""
    return {slot: replace(table, ids=torch.flip(table.ids, (0,))) for slot, table in shop.entities.items()}


def with_price(rows: TaskSamples, factor: float) -> TaskSamples:
    inputs = dict(rows.inputs) | {name: rows.inputs[name] * factor for name in ("price", "mean_price_assumed")}
    return replace(rows, inputs=inputs)


def assert_same(left: dict, right: dict, **tolerance: float) -> None:
    for name, values in left.items():
        torch.testing.assert_close(values, right[name], **tolerance)


def test_a_new_model_predicts_its_baselines(shop: Shop) -> None:
    model = new_model(shop)
    predicted = predict(model, shop.entities, shop.train)
    profile, demand = shop.train["profile"].baselines, shop.train["demand"]
    torch.testing.assert_close(predicted["profile"]["order_probability_28d"], profile["buys_28d"])
    # What users of a baseline spent, which is not what the baseline says, but all together.
    spent = shop.train["profile"].targets["spend_28d"]
    assert float(predicted["profile"]["expected_revenue_28d"].mean()) == pytest.approx(float(spent.nanmean()), rel=0.1)
    torch.testing.assert_close(predicted["profile"]["expected_revenue_28d_p50"], profile["spend_28d"])
    # Users differ in their numbers; all together they redeem as often as was seen.
    redeemed = float(shop.train["promotion"].targets["redeemed"].nanmean())
    assert float(predicted["promotion"]["redemption_probability"].mean()) == pytest.approx(redeemed, rel=1e-3)
    at_reference = replace(demand, inputs=dict(demand.inputs) | {"price": demand.inputs["reference_price"]})
    units = predict(model, shop.entities, {"demand": at_reference})["pricing"]["units"]
    torch.testing.assert_close(units, demand.baselines["level"])
    torch.testing.assert_close(
        predicted["service_days"]["contacts_mean"], shop.train["service_days"].baselines["contacts"]
    )


def test_demand_falls_in_price(trained: Trained) -> None:
    rows = trained.shop.validation["demand"]
    cheap, dear = (
        predict(trained.model, trained.shop.entities, {"demand": with_price(rows, factor)}) for factor in (1.0, 1.1)
    )
    assert (dear["pricing"]["units"] <= cheap["pricing"]["units"]).all()
    for name in ("demand_units_mean", "demand_units_p10", "demand_units_p95"):
        assert (dear["supply"][name] <= cheap["supply"][name]).all()
    assert (cheap["pricing"]["elasticity"] < 0).all()


def test_both_heads_read_one_curve(trained: Trained) -> None:
    """Price assumed equals price charged in the toy shop, so pricing and supply must say the same units."""
    predicted = predict(trained.model, trained.shop.entities, {"demand": trained.shop.validation["demand"]})
    torch.testing.assert_close(predicted["pricing"]["units"], predicted["supply"]["demand_units_mean"])


def test_quantiles_are_ordered(trained: Trained) -> None:
    predicted = predict(trained.model, trained.shop.entities, trained.shop.validation)
    for task, prefix, levels in (
        ("profile", "expected_revenue_28d", ("p10", "p50", "p90")),
        ("supply", "demand_units", ("p10", "p50", "p90", "p95")),
        ("service_days", "contacts", ("p10", "p50", "p90")),
    ):
        columns = torch.stack([predicted[task][f"{prefix}_{level}"] for level in levels], dim=1)
        assert (columns.diff(dim=1) >= 0).all() and (columns >= 0).all()


def test_shares_add_up(trained: Trained) -> None:
    shares = predict(trained.model, trained.shop.entities, trained.shop.validation)["profile"]["category_shares"]
    torch.testing.assert_close(shares.sum(dim=1), torch.ones(len(shares)))


def test_a_label_that_is_not_known_teaches_nothing(shop: Shop) -> None:
    model = new_model(shop)
    unknown = {
        table: replace(rows, targets={name: torch.full_like(t, torch.nan) for name, t in rows.targets.items()})
        for table, rows in shop.train.items()
    }
    losses = model.losses(model(shop.entities, unknown), unknown)
    sum(loss for targets in losses.values() for loss in targets.values()).backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert gradients and all((gradient == 0).all() for gradient in gradients)


def test_an_unknown_label_changes_no_gradient_of_the_known(shop: Shop) -> None:
    rows = shop.train["promotion"]
    half = rows.take(slice(0, 100))
    masked = replace(
        rows,
        targets=dict(rows.targets)
        | {"redeemed": rows.targets["redeemed"].clone().index_fill_(0, torch.arange(100, len(rows)), torch.nan)},
    )
    gradients = []
    for part in (half, masked):
        model = new_model(shop).eval()
        model.losses(model(shop.entities, {"promotion": part}), {"promotion": part})["promotion"]["redeemed"].backward()
        gradients.append(model.head("promotion").residual.residual.weight.grad)
    torch.testing.assert_close(*gradients)


def test_a_slot_that_is_absent_is_the_none_vector(trained: Trained) -> None:
    encoder, table = trained.model.banks["shared"].slots["user"], trained.shop.entities["user"]
    encoded = encoder(table, torch.tensor([3, -1, 3]), torch.zeros(3, dtype=torch.bool))
    torch.testing.assert_close(encoded[1], encoder.none)
    torch.testing.assert_close(encoded[0], encoded[2])


def test_an_entity_is_seen_with_its_id_by_one_row_and_without_by_another(trained: Trained) -> None:
    encoder, table = trained.model.banks["shared"].slots["user"], trained.shop.entities["user"]
    rows, hides_id = torch.tensor([3, 3, 5, -1]), torch.tensor([False, True, True, True])
    encoded = encoder(table, rows, hides_id)
    unknown = replace(table, ids=torch.zeros_like(table.ids))
    seen, unseen = (encoder(each, rows, torch.zeros(4, dtype=torch.bool)) for each in (table, unknown))
    torch.testing.assert_close(encoded, torch.where(hides_id[:, None], unseen, seen))
    assert (seen[0] - unseen[0]).abs().max() > 1e-3


def test_the_order_of_rows_does_not_matter(trained: Trained) -> None:
    rows = trained.shop.validation
    order = {table: torch.randperm(len(part)) for table, part in rows.items()}
    straight = predict(trained.model, trained.shop.entities, rows)
    shuffled = predict(trained.model, trained.shop.entities, {t: part.take(order[t]) for t, part in rows.items()})
    for task, columns in shuffled.items():
        expected = {name: values[order[TASKS[task].table]] for name, values in straight[task].items()}
        assert_same(columns, expected, rtol=1e-4, atol=1e-5)


def test_one_batch_of_all_tables_equals_a_pass_for_each(trained: Trained) -> None:
    rows = {table: part.take(slice(0, 50)) for table, part in trained.shop.validation.items()}
    together = trained.model(trained.shop.entities, rows)
    for task, outputs in together.items():
        table = TASKS[task].table
        assert_same(outputs, trained.model(trained.shop.entities, {table: rows[table]})[task], rtol=1e-4, atol=1e-5)


def test_promotion_and_profile_rows_are_blind_to_ids(trained: Trained) -> None:
    """Nothing learned about one household from later rows can reach the campaigns: other ids, same answers, while
    the recommendation does know its users and products."""
    shop = trained.shop
    rows = {table: shop.validation[table] for table in ("promotion", "profile", "recommendation")}
    before, after = (predict(trained.model, entities, rows) for entities in (shop.entities, with_ids_changed(shop)))
    torch.testing.assert_close(before["promotion"], after["promotion"])
    assert_same(before["profile"], after["profile"])
    assert not torch.allclose(before["recommendation"]["score"], after["recommendation"]["score"])


def test_promotion_rows_leave_id_embeddings_alone(shop: Shop) -> None:
    model = new_model(shop)
    torch.nn.init.normal_(model.head("promotion").residual.residual.weight)
    rows = {"promotion": shop.train["promotion"]}
    model.losses(model(shop.entities, rows), rows)["promotion"]["redeemed"].backward()
    gradient = model.banks["shared"].slots["user"].ids.weight.grad
    assert (gradient[1:] == 0).all() and (gradient[0] != 0).any()


def test_the_same_seed_gives_the_same_model(shop: Shop) -> None:
    first, second = (train(shop, epochs=2).model for _ in range(2))
    other = train(shop, CONFIG.model_copy(update={"seed": 1}), epochs=2).model
    assert_same(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    weight = "sharing.trunk.0.weight"
    assert not torch.equal(first.state_dict()[weight], other.state_dict()[weight])


def test_a_model_may_have_some_tasks_only(shop: Shop) -> None:
    model = JointModel(shop.preprocessing, CONFIG, ("profile",))
    assert model.curve is None
    assert set(predict(model, shop.entities, {"profile": shop.train["profile"]})) == {"profile"}


def test_groups_of_different_parts_stay_apart(shop: Shop) -> None:
    rows = shop.train["recommendation"]
    joined = concatenate([rows, rows])
    assert len(joined) == 2 * len(rows)
    assert len(torch.unique(joined.groups)) == 2 * len(torch.unique(rows.groups))


def test_churn_follows_orders_where_nobody_was_seen_to_stay_away(trained: Trained):
    """A shop younger than 90 days has no label of churn: who is the likeliest to order is the unlikeliest to leave."""
    model = new_model(trained.shop)
    rows = trained.shop.train["profile"]
    unknown = torch.full_like(rows.targets["churns_90d"], torch.nan)
    young = replace(rows, targets=rows.targets | {"churns_90d": unknown})
    model.fit_baselines(trained.shop.entities, {"profile": young})
    with torch.no_grad():
        head = model.head("profile")
        head.orders.residual.bias[0] = 1.0
        predicted = predict(model, trained.shop.entities, {"profile": young})["profile"]
    stays = (1 - predicted["order_probability_28d"]) ** (90 / 28)
    assert torch.allclose(predicted["churn_probability_90d"], stays.clamp(0.02, 0.98), atol=1e-5)
