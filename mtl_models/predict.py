"""Scoring with a trained model, in batches."""

from __future__ import annotations

import torch
from torch import Tensor

from mtl_models.batching import chunks
from mtl_models.demand_curve import log_price_ratio
from mtl_models.elasticity import OwnElasticity, own_elasticity
from mtl_models.heads.pricing import has_seen_price
from mtl_models.model import Entities, JointModel, Rows, product_ids
from mtl_models.samples import TaskSamples

BATCH_ROWS = 16_384


@torch.inference_mode()
def predict(model: JointModel, entities: Entities, rows: Rows) -> dict[str, dict[str, Tensor]]:
    """{task: {column: [n] or [n, k]}} for every task whose table is among the rows, in the rows' order."""
    model.eval()
    columns: dict[str, list[dict[str, Tensor]]] = {}
    for table, samples in rows.items():
        for part in chunks(samples, BATCH_ROWS):
            outputs = model(entities, {table: part})
            for task, output in outputs.items():
                columns.setdefault(task, []).append(model.head(task).predictions(output, part))
    return {
        task: {name: torch.cat([part[name] for part in parts]).cpu() for name in parts[0]}
        for task, parts in columns.items()
    }


@torch.no_grad()
def settle_elasticities(model: JointModel, entities: Entities, demand: TaskSamples, *, kept: float = 0.0) -> None:
    """Move each product's elasticity by what its own observed prices say; the last step of training.

    `demand`: the rows that the curve was trained on. A model that started from an earlier one saw fewer weeks than
    that one: what it knew about a product, faded to the share `kept`, stays where tonight's weeks know less.
    """
    curve = model.curve
    if curve is None or "pricing" not in model.tasks:
        return
    earlier = OwnElasticity(curve.own_shift.clone(), curve.own_spread.clone(), curve.prior_spread.clone()).faded(kept)
    curve.own_shift.zero_()
    expected = predict(model, entities, {"demand": demand})["pricing"]["units"].to(demand.weights.device)
    available = demand.targets["available_ratio"]
    seen = has_seen_price(demand)
    products = product_ids(entities, demand)
    own = own_elasticity(
        units=demand.targets["units"][seen],
        expected=(expected * available)[seen],
        log_ratio=log_price_ratio(demand.inputs["price"], demand.inputs["reference_price"])[seen],
        product_ids=products[seen],
        products=len(curve.own_shift),
        weights=_once_each(products[seen], demand.slots["calendar"][seen]),
        prior_spread=curve.prior_spread,
    ).or_better(earlier)
    curve.own_shift.copy_(own.shift)
    curve.own_spread.copy_(own.spread)
    curve.prior_spread.copy_(own.prior_spread)


def _once_each(products: Tensor, weeks: Tensor) -> Tensor:
    """[n] weights under which every week of a product counts once, from however many cut-offs it was seen."""
    if not len(products):
        return torch.zeros(0, dtype=torch.float64)
    key = products * (weeks.max() + 1) + weeks
    _, number, count = torch.unique(key, return_inverse=True, return_counts=True)
    return 1 / count[number].double()
