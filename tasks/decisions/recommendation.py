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
    the list for everyone has no pair: its pair_row is -1. `held_out_units` (products,): purchases to expect of held-out
    users, who are shown that list, of each product in it."""

    rows: Arrays
    pairs: Arrays
    held_out_units: Floats
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
            rows["exploration_ratio"],
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

    def units_of(self, allotment: Allotment) -> Floats:
        """(products,) purchases to expect of the allotted pairs, held-out users apart."""
        listed = np.zeros(len(self.pairs["part"]), bool)
        listed[self.rows["pair_row"][self.is_personal]] = True
        return self._units(np.flatnonzero(listed & allotment.is_allotted))

    def wished_units(self) -> Floats:
        """(products,) purchases to expect of all lists if every product sufficed."""
        is_shown = self.rank(np.ones(len(self.is_personal), bool))[0] != NOT_SHOWN
        units = self._units(np.unique(self.rows["pair_row"][self.is_personal & is_shown]))
        popular = self.rows["product_index"][~self.is_personal & is_shown]
        units[popular] += self.held_out_units[popular]
        return units

    def _units(self, pairs: Integers) -> Floats:
        product, probability = self.pairs["product_index"][pairs], self.pairs["purchase_probability"][pairs]
        return np.bincount(product, probability, minlength=len(self.held_out_units)).astype(np.float64)


def wish(con: duckdb.DuckDBPyConnection, night: Night) -> Candidates:
    """The candidates of all lists; creates `wished_purchases`, what lists would sell if every product sufficed."""
    steps = ("recommendation_pairs", "popular_products", "held_out_needs", "list_policies", "recommendation_candidates")
    for step in steps:
        run_step(con, step)
    candidates = Candidates(
        rows=arrays(con, "select * from recommendation_candidates order by list_number, score desc, product_index"),
        pairs=arrays(
            con, "select part, product_index, purchase_probability from recommendation_pairs order by pair_row"
        ),
        held_out_units=_by_product(con, "held_out_needs", "units", "0"),
        settings=night.decisions.recommendation,
    )
    units = candidates.wished_units()
    store(con, "wished_purchases", {"product_index": np.arange(len(units)), "wished_units": units})
    return candidates


def decide(con: duckdb.DuckDBPyConnection, candidates: Candidates) -> dict[str, int]:
    """Fill product_recommendations from what can be promised of each product. Rows written."""
    rows = candidates.rows
    budget = _budgets(con)
    allotment = candidates.allot(budget)
    # How many unknown visitors come is not known, so they are not shown what known users will use up. Held-out users
    # see what they see, so what these would buy has to be left as well.
    is_scarce = (allotment.price > 0)[rows["product_index"]]
    left = np.maximum(budget - candidates.units_of(allotment), 0)
    is_for_all = ~is_scarce & (candidates.held_out_units <= left)[rows["product_index"]]
    may_show = np.where(candidates.is_personal, allotment.is_allotted[rows["pair_row"]], is_for_all)
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
    return _by_product(con, "product_budgets", "budget", "'infinity'")


def _by_product(con: duckdb.DuckDBPyConnection, table: str, column: str, otherwise: str) -> Floats:
    """A column of the temporary table by product_index, and what stands for products that the table lacks."""
    return arrays(
        con,
        f"""select cast(coalesce({column}, {otherwise}) as double) as amount
        from (select unnest(range(max(product_index) + 1)) as product_index from staging.products)
        left join {table} using (product_index)
        order by product_index""",
    )["amount"]
