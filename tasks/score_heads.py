"""How each task is measured: what it was asked and answered on one fold, and the scores of that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import duckdb
import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from mtl_models import scorecard, scorecard_service
from mtl_models.heads import TASKS
from mtl_models.score import Columns, Score
from mtl_models.scorecard import Lists
from tasks.read_samples import read_keys
from tasks.serving import Scored, measured_window
from warehouse.connect import read_sql

# How a task is measured that needs no more than its own rows: from targets, baselines and predictions.
SCORES: dict[str, Callable[[Columns, Columns, Columns], list[Score]]] = {
    "profile": scorecard.score_profile,
    "quality": scorecard.score_quality,
    "service_orders": scorecard_service.score_order_risks,
    "service_days": scorecard_service.score_daily_contacts,
    "service_tickets": scorecard_service.score_tickets,
}


@dataclass(frozen=True, kw_only=True)
class Answers:
    """A task's rows of the test fold as arrays of n rows, and what was predicted of them. `lists` are those of the
    recommendation, `campaigns` [n] numbers those of the promotion; other tasks have none."""

    targets: Columns
    baselines: Columns
    inputs: Columns
    predicted: Columns
    lists: Lists | None = None
    campaigns: NDArray[np.int64] | None = None


def read_answers(con: duckdb.DuckDBPyConnection, task: str, scored: Scored) -> Answers:
    """What the task answered on the test fold."""
    rows = scored.rows[TASKS[task].table]
    targets, inputs = _arrays(rows.targets), _arrays(rows.inputs)
    return Answers(
        targets=targets,
        baselines=_arrays(rows.baselines),
        inputs=inputs,
        predicted=_arrays(scored.predictions[task]),
        lists=_lists(con, targets["bought_28d"], inputs["is_new"], scored.choice.only)
        if task == "recommendation"
        else None,
        campaigns=_campaigns(con, scored.choice.only) if task == "promotion" else None,
    )


def score_answers(task: str, answers: Answers) -> list[Score]:
    """Every measure of the task."""
    targets, baselines, inputs, predicted = answers.targets, answers.baselines, answers.inputs, answers.predicted
    if task in SCORES:
        return SCORES[task](targets, baselines, predicted)
    if answers.lists is not None:
        return scorecard.score_recommendation(answers.lists, predicted["score"], baselines["popularity"])
    if answers.campaigns is not None:
        return scorecard.score_promotion(
            targets["redeemed"], predicted["redemption_probability"], baselines["redeemed"], answers.campaigns
        )
    if task == "pricing":
        return scorecard.score_pricing(targets, baselines, inputs, predicted)
    if task == "supply":
        return scorecard.score_supply(targets, baselines, inputs, predicted)
    if task == "uplift":
        return scorecard.score_uplift(targets, baselines, inputs, predicted)
    raise KeyError(f"nothing says how task {task!r} is measured; add it to SCORES")


def _arrays(columns: Mapping[str, Tensor]) -> dict[str, scorecard.Values]:
    return {name: tensor.cpu().numpy().astype(np.float64) for name, tensor in columns.items()}


def _campaigns(con: duckdb.DuckDBPyConnection, only: Mapping[str, str]) -> NDArray[np.int64]:
    return read_keys(con, "promotion", "test", "campaign_id", only)["campaign_id"].rank("dense").to_numpy()


def _lists(
    con: duckdb.DuckDBPyConnection, bought: scorecard.Values, is_new: scorecard.Values, only: Mapping[str, str]
) -> Lists:
    """The test fold's candidates as lists, with what each user bought in the window, candidate or not."""
    start, end = measured_window(con, "recommendation")
    bought_by_all = f"({read_sql('evaluation/relevant_products.sql')}) where {only.get('recommendation', 'true')}"
    truth = con.sql(f"from {bought_by_all} order by user_id", params=[start, end]).pl()
    truth = truth.with_row_index("list")
    keys = read_keys(con, "recommendation", "test", "user_id, product_id", only)
    lists = keys.select("user_id").join(
        truth.select("user_id", "list"), on="user_id", how="left", maintain_order="left"
    )
    catalogue = con.execute(
        "select count(distinct product_id) from staging.order_lines where is_item and business_date < $1", [start]
    ).fetchall()[0][0]
    return Lists(
        lists=lists["list"].to_numpy().astype(np.int64),
        products=keys["product_id"].rank("dense").to_numpy().astype(np.int64),
        is_bought=bought > 0,
        is_new=is_new > 0,
        relevant=truth["relevant"].to_numpy(),
        relevant_new=truth["relevant_new"].to_numpy(),
        catalogue=int(catalogue),
    )
