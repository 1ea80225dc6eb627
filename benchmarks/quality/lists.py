"""Rankers beside ours: EASE (Steck 2019) over decayed purchases of the whole shop, and personal frequency."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from datetime import date

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from mtl_models.ranking_metrics import LENGTH, score_lists
from mtl_models.scorecard import Lists
from tasks.score_heads import Answers
from warehouse.connect import read_sql

PRODUCTS, DECAY_DAYS, PENALTIES = 5_000, 60, (50.0, 300.0)
USERS_AT_ONCE = 256


@dataclass(frozen=True)
class Purchases:
    """Before a day: `weights` [users, products] of decayed purchases, `is_bought` ever, over the best sellers first;
    `bought` are the pairs of user and product of the window after it."""

    users: list[str]
    products: list[str]
    weights: csr_matrix
    is_bought: csr_matrix
    bought: csr_matrix
    relevant: NDArray[np.int64]
    relevant_new: NDArray[np.int64]

    @classmethod
    def read(cls, con: duckdb.DuckDBPyConnection, start: date, end: date) -> Purchases:
        """Items of the shop, as the night's own measure takes them."""
        lines = con.execute(
            """select user_id, product_id, business_date < $1 as is_past,
                ln(1 + sum(exp(-date_diff('day', business_date, $1) / $3)) filter (business_date < $1)) as weight,
                count(*) filter (business_date < $1) as lines
            from (select distinct user_id, product_id, business_date from staging.order_lines where is_item)
            where user_id is not null and business_date < $2
            group by all""",
            [start, end, DECAY_DAYS],
        ).pl()
        truth = con.sql(
            f"from ({read_sql('evaluation/relevant_products.sql')}) order by user_id", params=[start, end]
        ).pl()
        past = lines.filter("is_past")
        products = past.group_by("product_id").agg(pl.col("lines").sum()).sort(["lines", "product_id"], descending=True)
        users, names = truth["user_id"].fill_null("").to_list(), products["product_id"].to_list()
        shape = (len(users), len(names))

        def matrix(pairs: pl.DataFrame, values: pl.Series | None = None) -> csr_matrix:
            row = pairs["user_id"].cast(pl.Enum(users), strict=False).to_physical()
            column = pairs["product_id"].cast(pl.Enum(names), strict=False).to_physical()
            known = (row.is_not_null() & column.is_not_null()).to_numpy()
            data = np.ones(len(pairs)) if values is None else values.to_numpy()
            return csr_matrix((data[known], (row.to_numpy()[known], column.to_numpy()[known])), shape=shape)

        return cls(
            users=users,
            products=names,
            weights=matrix(past, past["weight"]),
            is_bought=matrix(past),
            bought=matrix(lines.filter(~pl.col("is_past"))),
            relevant=truth["relevant"].to_numpy(),
            relevant_new=truth["relevant_new"].to_numpy(),
        )


def ease(
    con: duckdb.DuckDBPyConnection, validated: tuple[date, date], measured: tuple[date, date]
) -> tuple[Answers, float]:
    """The lists of the measured window with the penalty that ranks new products best in the validated one, and the CPU
    seconds of all."""
    started = time.process_time()
    before = Purchases.read(con, *validated)
    penalty = max(PENALTIES, key=lambda penalty: _ndcg_of_new(_ranked(before, penalty)))
    answers = _ranked(Purchases.read(con, *measured), penalty)
    return answers, time.process_time() - started


def _ranked(purchases: Purchases, penalty: float) -> Answers:
    """The best of all products and the best of what is new to each user, as rows of one list."""
    weights = purchases.weights[:, :PRODUCTS].astype(np.float32)
    gram = (weights.T @ weights).toarray()
    gram[np.diag_indices_from(gram)] += penalty
    inverse = np.linalg.inv(gram)
    item_item = inverse / -np.diag(inverse)
    np.fill_diagonal(item_item, 0)
    parts = []
    for first in range(0, len(purchases.users), USERS_AT_ONCE):
        users = slice(first, first + USERS_AT_ONCE)
        score = weights[users] @ item_item
        is_past = purchases.is_bought[users, : score.shape[1]].toarray() > 0
        kept = np.zeros(score.shape, bool)
        for allowed in (score, np.where(is_past, -np.inf, score)):
            np.put_along_axis(kept, np.argpartition(-allowed, LENGTH, axis=1)[:, :LENGTH], True, axis=1)
        user, product = np.nonzero(kept)
        bought = np.asarray(purchases.bought[users][user, product]).ravel() > 0
        parts.append((user + first, product, score[user, product], bought, ~is_past[user, product]))
    user, product, score, bought, new = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    lists = Lists(
        lists=user,
        products=product,
        is_bought=bought,
        is_new=new,
        relevant=purchases.relevant,
        relevant_new=purchases.relevant_new,
        catalogue=len(purchases.products),
    )
    return Answers(
        targets={}, inputs={}, baselines={"popularity": score}, predicted={"score": score.astype(float)}, lists=lists
    )


def _ndcg_of_new(answers: Answers) -> float:
    lists, score = answers.lists, answers.predicted["score"]
    new = lists.is_new
    return score_lists(lists.lists[new], score[new], lists.is_bought[new], lists.products[new], lists.relevant_new).ndcg


def personal(ours: Answers) -> Answers:
    """Our candidates in the order of the user's own decayed purchases, then of what is popular."""
    own, popular = np.nan_to_num(ours.baselines["personal"]), ours.baselines["popularity"]
    return replace(ours, predicted={"score": own + 1e-6 * popular / popular.max()})
