"""Features as of each cut-off, and the sample tables that the model learns from and scores."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from mtl_models import item_item
from tasks.earlier_model import has_learned_older_cutoffs
from tasks.engine import Engine, Variables, engine_of
from tasks.lead_times import estimate_lead_times
from tasks.night import Night
from tasks.presence import estimate_presence
from tasks.progress import report
from warehouse import build
from warehouse.connect import release_memory

# Share of the item-item model's candidates among those of a user; the rest is bought before or popular.
_SIMILAR_SHARE = 0.35
# Ridge over the mean squared length of an item column, tuned on a validation window for products new to a user.
_RELATIVE_RIDGE = 12.0


@dataclass(frozen=True, kw_only=True)
class FeaturesReport:
    """What was built: rows by table, seconds by SQL file (and for the item-item model)."""

    rows: dict[str, int]
    seconds: dict[str, float]

    def __str__(self) -> str:
        samples = {name: rows for name, rows in self.rows.items() if name.startswith("samples.")}
        others = len(self.rows) - len(samples)
        return f"{sum(samples.values()):,} samples in {len(samples)} tables, {others} other tables"


def build_features(con: duckdb.DuckDBPyConnection, night: Night) -> FeaturesReport:
    """Build schemas staging, features and samples as of the night's date; anything there before is replaced."""
    known = variables(night, has_learned_older_cutoffs(con, night))
    build.set_variables(con, known)
    with engine_of(night) as engine:
        seconds = _build(con, night, engine, known)
    rows = build.count_rows(con, ("features", "samples"))
    # The training that follows needs the memory, and of the database only what it reads.
    release_memory(con)
    return FeaturesReport(rows=rows, seconds=seconds)


def _build(con: duckdb.DuckDBPyConnection, night: Night, engine: Engine, known: Variables) -> dict[str, float]:
    """Everything in order; the seconds that each file took."""
    later = (build.ENTITY_FILES, build.DEMAND_FILES, build.CAMPAIGN_AND_SERVICE_FILES, build.CANDIDATE_FILES)
    before_items = [file for group in later for file in group]
    total = len(build.FEED_FILES) + len(before_items) + 2 + len(build.RECOMMENDATION_FILES)
    done = 0

    def on_file(file: str) -> None:
        nonlocal done
        report(file, done / total)
        done += 1

    seconds = engine.run_files(con, build.FEED_FILES, known, on_file)
    on_file("presence")
    started = time.perf_counter()
    estimate_presence(con)
    seconds["presence"] = time.perf_counter() - started
    seconds |= engine.run_files(con, before_items, known, on_file)
    estimate_lead_times(con)
    on_file("item-item model")
    started = time.perf_counter()
    score_similar_products(con, night)
    seconds["item-item model"] = time.perf_counter() - started
    seconds |= engine.run_files(con, build.RECOMMENDATION_FILES, known, on_file)
    return seconds


def score_similar_products(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Write the temp table `item_item_scores`: what the item-item model says at each cut-off of the recommendation, for
    its best items that are new to each user and for the candidates found otherwise."""
    con.execute(
        "create or replace temp table item_item_scores"
        " (cutoff_date date, user_index integer, item integer, score float, is_candidate boolean)"
    )
    cutoffs = con.execute("select cutoff_date from features.recommendation_cutoffs order by all").fetchall()
    count = round(_SIMILAR_SHARE * night.features.candidates_per_user)
    for (cutoff,) in cutoffs:
        for part in _scores_at(con, cutoff, count):
            con.register("scored_users", part)
            con.execute("insert into item_item_scores select * from scored_users")
            con.unregister("scored_users")


def _scores_at(con: duckdb.DuckDBPyConnection, cutoff: date, count: int) -> Iterator[pa.Table]:
    """The scores of some users after others: those of a large shop's would fill the memory."""
    purchases = _arrays(con, "user_index, item, weight", "item_interactions", cutoff)
    others = _arrays(con, "user_index, item", "similarity_candidates", cutoff)
    interactions = item_item.Interactions(
        user=purchases["user_index"],
        item=purchases["item"],
        weight=purchases["weight"],
        users=int(purchases["user_index"].max(initial=-1)) + 1,
        items=int(purchases["item"].max(initial=-1)) + 1,
    )
    weights = item_item.fit(interactions, relative_ridge=_RELATIVE_RIDGE)
    for first_user, block in interactions.blocks():
        scores = block @ weights
        is_best = item_item.best_unseen(scores, block, count)
        low, high = np.searchsorted(others["user_index"], (first_user, first_user + len(block)))
        is_other = torch.zeros_like(is_best)
        is_other[
            torch.from_numpy(others["user_index"][low:high] - first_user), torch.from_numpy(others["item"][low:high])
        ] = True
        for is_candidate, mask in ((True, is_best), (False, is_other & ~is_best)):
            user, item = mask.nonzero(as_tuple=True)
            yield _table(cutoff, user + first_user, item, scores[mask], is_candidate)


def _arrays(con: duckdb.DuckDBPyConnection, columns: str, table: str, cutoff: date) -> dict[str, np.ndarray]:
    query = f"select {columns} from {table} where cutoff_date = $1 order by user_index, item"
    return con.execute(query, [cutoff]).fetchnumpy()


def _table(cutoff: date, user: Tensor, item: Tensor, score: Tensor, is_candidate: bool) -> pa.Table:
    return pa.table(
        {
            "cutoff_date": pa.repeat(pa.scalar(cutoff), len(user)),
            "user_index": user.int().numpy(),
            "item": item.int().numpy(),
            "score": score.numpy(),
            "is_candidate": pa.repeat(pa.scalar(is_candidate), len(user)),
        }
    )


def variables(night: Night, is_warm: bool) -> Variables:
    """What the SQL of the build may ask for; `is_warm`: tonight's model starts from one that learned older cut-offs."""
    settings = night.features
    demand, recommendation = settings.demand_train_cutoffs, settings.recommendation_train_cutoffs
    if is_warm:
        demand = min(demand, settings.warm_demand_train_cutoffs)
        recommendation = min(recommendation, settings.warm_recommendation_train_cutoffs)
    return {
        "time_zone": night.time_zone,
        "as_of_date": night.as_of_date,
        "horizon_days": settings.horizon_days,
        "train_cutoffs": settings.train_cutoffs,
        "recommendation_train_cutoffs": recommendation,
        "demand_train_cutoffs": demand,
        "minimum_history_days": settings.minimum_history_days,
        "demand_products": settings.demand_products,
        "candidates_per_user": settings.candidates_per_user,
        "similarity_products": settings.similarity_products,
        "lead_time_days": night.decisions.replenishment.lead_time_days,
        "answer_within_minutes": night.decisions.staffing.answer_within_minutes,
        "solve_within_minutes": night.decisions.staffing.solve_within_minutes,
    }
