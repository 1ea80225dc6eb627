"""Recommendations: ranked lists for every user, and one for everyone else.

Lists are made twice. First as if nothing was scarce, because orders cover what these lists would sell; then, with the
orders known, from what each user is allotted of the products that do not suffice for all.
"""

from __future__ import annotations

from dataclasses import dataclass

import duckdb
import numpy as np

from mtl_models.decisions.allotment import Allotment, allot
from mtl_models.decisions.ranking import NOT_SHOWN, Flags, Floats, Integers, rank_lists
from tasks.decisions.context import Arrays, arrays, run_step, store, write
from tasks.night import Night, RecommendationConfig


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """`rows`: what each list may show, sorted by list and score. `pairs`: the users and products behind them. A row of
    the list for everyone has no pair: its pair_row is -1."""

    rows: Arrays
    pairs: Arrays
    settings: RecommendationConfig

    @property
    def is_personal(self) -> Flags:
        """(rows,) whether the row is in a user's own list."""
        return self.rows["pair_row"] >= 0

    def rank(self, may_show: Flags) -> tuple[Integers, Flags]:
        """Rank, and whether it is shown to learn, of each row when lists are made of the rows that may be shown."""
        rows = self.rows
        return rank_lists(
            rows["list_number"],
            may_show,
            rows["cap_number"],
            rows["cap"],
            self.settings.list_length,
            self.settings.exploration_ratio,
            rows["lottery"],
        )

    def allot(self, budget: Floats) -> Allotment:
        """Which pairs may be shown. A user who sees a product in two lists buys it once: pairs, not rows, use up the
        budget, and the worth of one is the best score that it has in a list."""
        listed, score = self.rows["pair_row"][self.is_personal], self.rows["score"][self.is_personal]
        worth, need = np.zeros((2, len(self.pairs["part"])))
        np.maximum.at(worth, listed, score)
        need[listed] = self.pairs["purchase_probability"][listed]
        return allot(self.pairs["part"], self.pairs["product_index"], worth, need, budget, self.settings.list_length)


def wish(con: duckdb.DuckDBPyConnection, night: Night) -> Candidates:
    """The candidates of all lists; creates `wished_purchases`, what lists would sell if every product sufficed."""
    for step in ("recommendation_pairs", "popular_products", "list_policies", "recommendation_candidates"):
        run_step(con, step)
    candidates = Candidates(
        rows=arrays(con, "select * from recommendation_candidates order by list_number, score desc, product_index"),
        pairs=arrays(
            con, "select part, product_index, purchase_probability from recommendation_pairs order by pair_row"
        ),
        settings=night.decisions.recommendation,
    )
    rank, _ = candidates.rank(np.ones(len(candidates.is_personal), bool))
    shown = np.unique(candidates.rows["pair_row"][candidates.is_personal & (rank != NOT_SHOWN)])
    units = np.bincount(candidates.pairs["product_index"][shown], candidates.pairs["purchase_probability"][shown])
    store(con, "wished_purchases", {"product_index": np.arange(len(units)), "wished_units": units})
    return candidates


def decide(con: duckdb.DuckDBPyConnection, candidates: Candidates) -> dict[str, int]:
    """Fill product_recommendations from what can be promised of each product. Rows written."""
    rows = candidates.rows
    budget = _budgets(con)
    allotment = candidates.allot(budget)
    # How many unknown visitors come is not known, so they are not shown what known users will use up.
    is_scarce = (allotment.price > 0)[rows["product_index"]]
    may_show = np.where(candidates.is_personal, allotment.is_allotted[rows["pair_row"]], ~is_scarce)
    may_show &= (budget > 0)[rows["product_index"]]
    rank, is_exploration = candidates.rank(may_show)
    shown = rank != NOT_SHOWN
    scarce = np.flatnonzero(allotment.price > 0)
    store(con, "scarce_products", {"product_index": scarce, "unit_worth": allotment.price[scarce]})
    columns = {name: rows[name] for name in ("pair_row", "placement_number", "product_index", "score")}
    columns |= {"rank": rank, "is_exploration": is_exploration, "is_scarce": is_scarce}
    store(con, "list_rows", {name: column[shown] for name, column in columns.items()})
    return {"product_recommendations": write(con, "product_recommendations")}


def _budgets(con: duckdb.DuckDBPyConnection) -> Floats:
    """By product_index: the purchases that lists may bring, infinite where stock is not known."""
    run_step(con, "product_budgets")
    return arrays(
        con,
        """select coalesce(budget, 'infinity') as budget
        from (select unnest(range(max(product_index) + 1)) as product_index from staging.products)
        left join product_budgets using (product_index)
        order by product_index""",
    )["budget"]
