"""Recommendations: ranked lists for every user, and one for everyone else.

Lists are made twice. First as if nothing was scarce, because orders cover what these lists would sell; then, with the
orders known, from what each user is allotted of the products that do not suffice for all. Users are gone through in
parts, so that memory does not grow with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import duckdb
import numpy as np

from mtl_models.decisions.allotment import Allotment, allot
from mtl_models.decisions.ranking import NOT_SHOWN, Flags, Floats, Integers, rank_lists
from tasks.decisions.context import Arrays, append, arrays, run_step, store, write
from tasks.decisions.market import PairMarket, Part, parts_of_users
from tasks.night import Night, RecommendationConfig

# The rows of the list for everyone, which has no pairs.
EVERYONE: Part = (-1, 0)


@dataclass(frozen=True, kw_only=True)
class Candidates:
    """`recommendation_candidates`: what each list may show, of all users in `parts` and of EVERYONE. `held_out_units`
    (products,): purchases to expect of held-out users, who are shown that list, of each product in it."""

    con: duckdb.DuckDBPyConnection
    parts: Sequence[Part]
    held_out_units: Floats
    settings: RecommendationConfig

    def read(self, part: Part) -> Arrays:
        """The rows of the lists of some users, sorted by list and score."""
        return arrays(
            self.con,
            f"""from recommendation_candidates where pair_row >= {part[0]} and pair_row < {part[1]}
            order by list_number, score desc, product_index""",
        )

    def rank(self, rows: Arrays, may_show: Flags) -> tuple[Integers, Flags]:
        """Rank, and whether it is shown to learn, of each row when lists are made of the rows that may be shown."""
        return rank_lists(
            rows["list_number"],
            may_show,
            rows["cap_number"],
            rows["cap"],
            self.settings.list_length,
            rows["exploration_ratio"],
            rows["lottery"],
        )

    def wished_units(self) -> Floats:
        """(products,) purchases to expect of all lists if every product sufficed. A user who sees a product in two
        lists buys it once."""
        units = np.zeros(len(self.held_out_units))
        for part in self.parts:
            shown = self._shown_if_all_suffices(part)
            _, once = np.unique(shown["pair_row"], return_index=True)
            np.add.at(units, shown["product_index"][once], shown["purchase_probability"][once])
        popular = self._shown_if_all_suffices(EVERYONE)["product_index"]
        units[popular] += self.held_out_units[popular]
        return units

    def _shown_if_all_suffices(self, part: Part) -> Arrays:
        rows = self.read(part)
        rank, _ = self.rank(rows, np.ones(len(rows["score"]), bool))
        return {name: column[rank != NOT_SHOWN] for name, column in rows.items()}


def wish(con: duckdb.DuckDBPyConnection, night: Night) -> Candidates:
    """The candidates of all lists; creates `wished_purchases`, what lists would sell if every product sufficed."""
    steps = ("recommendation_pairs", "popular_products", "held_out_needs", "list_policies", "recommendation_candidates")
    for step in steps:
        run_step(con, step)
    candidates = Candidates(
        con=con,
        parts=parts_of_users(con),
        held_out_units=_by_product(con, "held_out_needs", "units", "0"),
        settings=night.decisions.recommendation,
    )
    units = candidates.wished_units()
    store(con, "wished_purchases", {"product_index": np.arange(len(units)), "wished_units": units})
    return candidates


def decide(con: duckdb.DuckDBPyConnection, candidates: Candidates) -> dict[str, int]:
    """Fill product_recommendations from what can be promised of each product. Rows written."""
    run_step(con, "contested_pairs")
    budget, market = _budgets(con), PairMarket(con=con, parts=candidates.parts)
    allotment = allot(market, budget, candidates.settings.list_length)
    # How many unknown visitors come is not known, so they are not shown what known users will use up. Held-out users
    # see what they see, so what these would buy has to be left as well.
    is_scarce = allotment.price > 0
    left = np.maximum(budget - _units_of(market, allotment), 0)
    is_for_all = ~is_scarce & (candidates.held_out_units <= left)
    store(
        con, "scarce_products", {"product_index": np.flatnonzero(is_scarce), "unit_worth": allotment.price[is_scarce]}
    )
    run_step(con, "list_rows")
    for part in (EVERYONE, *candidates.parts):
        rows = candidates.read(part)
        product = rows["product_index"]
        may_show = is_for_all[product] if part is EVERYONE else allotment.is_allotted[rows["pair_row"]]
        rank, is_exploration = candidates.rank(rows, may_show & (budget > 0)[product])
        columns = {name: rows[name] for name in ("pair_row", "placement_number", "product_index", "score")}
        columns |= {"rank": rank, "is_exploration": is_exploration, "is_scarce": is_scarce[product]}
        append(con, "list_rows", {name: column[rank != NOT_SHOWN] for name, column in columns.items()})
    written = write(con, "product_recommendations")
    # The largest of what a night decides on; the database has better use for the memory.
    for done in ("recommendation_candidates", "recommendation_pairs", "contested_pairs", "bids", "list_rows"):
        con.execute(f"drop table if exists temp.{done}")
    return {"product_recommendations": written}


def _units_of(market: PairMarket, allotment: Allotment) -> Floats:
    """(products,) purchases to expect of the allotted pairs, held-out users apart."""
    units = np.zeros(len(allotment.price))
    for lists in market.lists():
        is_allotted = allotment.is_allotted[lists.number]
        np.add.at(units, lists.product[is_allotted], lists.need[is_allotted])
    return units


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
