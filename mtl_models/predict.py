"""Scoring with a trained model, in batches."""

from __future__ import annotations

from contextlib import ExitStack

import torch
from torch import Tensor

from mtl_models.batching import chunks
from mtl_models.elasticity import Spells
from mtl_models.model import JointModel, Rows, product_ids
from mtl_models.samples import Entities, TaskSamples

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


def predict_uncalibrated(model: JointModel, entities: Entities, rows: Rows) -> dict[str, dict[str, Tensor]]:
    """What `predict` would say without calibration."""
    with ExitStack() as stack:
        for task in model.tasks:
            stack.enter_context(model.head(task).calibration.off())
        return predict(model, entities, rows)


@torch.no_grad()
def settle_elasticities(model: JointModel, entities: Entities, demand: TaskSamples, spells: Spells) -> None:
    """Move each product's elasticity by what its own prices say; the last step of training.

    `demand`: rows that name the products at the latest cut-offs last, for what was learned of products like them.
    """
    curve = model.curve
    if curve is None or "pricing" not in model.tasks:
        return
    products = product_ids(entities, demand)
    shift = curve.own_shift[products]
    learned_by_row = predict(model, entities, {"demand": demand})["pricing"]["elasticity"].to(shift.device) - shift
    learned = learned_by_row.mean().expand(len(curve.own_shift)).clone()
    learned[products] = learned_by_row
    curve.settle(spells, learned)
