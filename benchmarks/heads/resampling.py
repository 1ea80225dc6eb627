"""How sure a gate is: the bootstrap over the users or products of the measured window, each drawn with all its rows.

Every training meets the same draws, so that two of them are compared draw by draw.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray

from mtl_models.heads import TASKS
from mtl_models.ranking_metrics import LENGTH
from mtl_models.score import Columns, Score
from tasks.read_samples import read_keys
from tasks.score_heads import Answers, score_answers

# What a row of the task is about, as SQL: rows of one of these share their luck.
ENTITIES = {
    "profile": "user_id",
    "recommendation": "user_id",
    "quality": "product_id",
    "pricing": "product_id",
    "promotion": "user_id",
    "uplift": "user_id",
    "supply": "product_id",
    "service_orders": "coalesce(user_id, order_id)",
    "service_days": "concat_ws(' ', channel, contact_reason)",
    "service_tickets": "coalesce(user_id, ticket_id)",
}
# What lists know of each candidate.
OF_CANDIDATES = ("lists", "products", "is_bought", "is_new")
LUCK = 20240601

Numbers = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Gate:
    """`resampled`: the value in each draw."""

    head: str
    value: float
    baseline: float
    is_higher_better: bool
    resampled: list[float]


def resampled_gates(con: duckdb.DuckDBPyConnection, task: str, answers: Answers, draws: int) -> dict[str, Gate]:
    """{measured task and metric: gate} of a task, as ops.model_metrics has it."""
    published = _gates(task, answers)
    drawn = [_gates(task, again) for again in redrawn(con, task, answers, draws)]
    return {
        name: Gate(
            head=task,
            value=score.value,
            baseline=score.baseline_value,
            is_higher_better=bool(score.is_higher_better),
            resampled=[round(scores[name].value, 7) for scores in drawn],
        )
        for name, score in published.items()
    }


def redrawn(con: duckdb.DuckDBPyConnection, task: str, answers: Answers, draws: int) -> Iterator[Answers]:
    """The answers about entities drawn anew, the same ones for every model. Of lists only the top is kept."""
    if answers.lists is not None:
        answers = _best_of_lists(answers)
        entity, count = answers.lists.lists, len(answers.lists.relevant)
    else:
        keys = read_keys(con, TASKS[task].table, "test", f"{ENTITIES[task]} as entity")["entity"]
        entity = numbers_of(keys)
        count = int(entity.max()) + 1
    yield from redrawn_entities(answers, entity, count, draws)


def numbers_of(names: pl.Series) -> Numbers:
    """[n] the number of each name, from 0."""
    return names.rank("dense").to_numpy().astype(np.int64) - 1


def redrawn_entities(answers: Answers, entity: Numbers, count: int, draws: int) -> Iterator[Answers]:
    """The answers about entities drawn anew; `entity` numbers that of each row, below `count`."""
    random = np.random.default_rng(LUCK)
    for _ in range(draws):
        yield resample(answers, entity, random.integers(count, size=count))


def resample(answers: Answers, entity: Numbers, drawn: Numbers) -> Answers:
    """The answers about the drawn entities, as often as each was drawn; a list drawn twice is two lists."""
    index, draw = rows_of(entity, drawn)
    taken = take(answers, index)
    if taken.lists is None:
        return taken
    relevant, relevant_new = taken.lists.relevant[drawn], taken.lists.relevant_new[drawn]
    return replace(taken, lists=replace(taken.lists, lists=draw, relevant=relevant, relevant_new=relevant_new))


def take(answers: Answers, index: Numbers) -> Answers:
    """The rows at `index`, in that order."""

    def rows(columns: Columns) -> Columns:
        return {name: values[index] for name, values in columns.items()}

    lists = answers.lists
    return Answers(
        targets=rows(answers.targets),
        baselines=rows(answers.baselines),
        inputs=rows(answers.inputs),
        predicted=rows(answers.predicted),
        lists=lists and replace(lists, **{name: getattr(lists, name)[index] for name in OF_CANDIDATES}),
        campaigns=None if answers.campaigns is None else answers.campaigns[index],
    )


def rows_of(entity: Numbers, drawn: Numbers) -> tuple[Numbers, Numbers]:
    """Rows of each drawn entity, one draw after the other, and the number of the draw that each belongs to."""
    order = np.argsort(entity, kind="stable")
    counts = np.bincount(entity, minlength=int(drawn.max()) + 1)
    sizes = counts[drawn]
    starts = (np.cumsum(counts) - counts)[drawn]
    draw = np.repeat(np.arange(len(drawn)), sizes)
    within = np.arange(len(draw)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    return order[np.repeat(starts, sizes) + within], draw


def _gates(task: str, answers: Answers) -> dict[str, Score]:
    return {f"{score.task} {score.metric}": score for score in score_answers(task, answers) if score.is_gate}


def _best_of_lists(answers: Answers) -> Answers:
    """Only candidates among the best of their list, or of what is new in it: the gates look at no others."""
    lists, score = answers.lists, answers.predicted["score"]
    kept = np.zeros(len(score), bool)
    for inside in (np.arange(len(score)), np.flatnonzero(lists.is_new)):
        order = inside[np.lexsort((inside, -score[inside], lists.lists[inside]))]
        ordered = lists.lists[order]
        kept[order[np.arange(len(ordered)) - np.searchsorted(ordered, ordered) < LENGTH]] = True
    return take(answers, np.flatnonzero(kept))
