"""Which files of the build may run part by part, and why their parts together are the whole, bit by bit.

A part is a stretch of cut-off dates or, of one cut-off, a stretch of users. Its tables are the whole ones, less the
rows of other cut-offs (where they have a `cutoff_date`) and of other users (where they have a `user_index`): each of
these files joins, groups and ranks within one cut-off, those by user within one user too. Their rows lie in the order
of both, so that parts in their order are the table as one run would have made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import duckdb

from warehouse.contracts.table import literal

# Beyond so many rows of its largest table a file is divided further than CPUs want, so that a part fits into memory.
ROWS_PER_PART = 10_000_000


@dataclass(frozen=True, kw_only=True)
class Partitioned:
    """A file of the build: the table that it makes, those that it reads, and the relation with its cut-off dates."""

    makes: str
    reads: tuple[str, ...]
    cutoffs: str
    is_by_user: bool
    is_temporary: bool = False


# The files that take most of the build. Others are quick, or count over all users, products and days at once.
PARTITIONED = {
    "features/users.sql": Partitioned(
        makes="features.users",
        reads=("viewpoints", "order_days", "known_lines", "visit_days", "presence", "staging.users"),
        cutoffs="viewpoints",
        # What an order is usually worth is a sum over all users.
        is_by_user=False,
    ),
    "features/user_products.sql": Partitioned(
        makes="features.user_products",
        reads=("user_product_days", "features.recommendation_cutoffs", "staging.users", "staging.products"),
        cutoffs="features.recommendation_cutoffs",
        is_by_user=True,
    ),
    "staging/popular_unseen.sql": Partitioned(
        makes="popular_unseen",
        reads=("features.user_products", "features.popular_products", "user_product_days"),
        cutoffs="features.recommendation_cutoffs",
        is_by_user=True,
        is_temporary=True,
    ),
    "samples/recommendation.sql": Partitioned(
        makes="samples.recommendation",
        reads=(
            *("user_product_days", "user_subcategory_days", "user_category_path_days", "interest_days"),
            *("similarity_scores", "popular_unseen", "promoted_shares"),
            *("features.recommendation_cutoffs", "features.users", "features.products"),
            *("features.user_products", "features.popular_products", "staging.users", "staging.products"),
        ),
        cutoffs="features.recommendation_cutoffs",
        is_by_user=True,
    ),
}


@dataclass(frozen=True)
class Stretch:
    """The rows of a part: cut-off dates from `first` to `last`, users of the stretch number `users` of a division."""

    first: date
    last: date
    users: int

    def predicate(self, columns: Iterable[str]) -> str:
        """Of a table with these columns, the rows of these cut-offs."""
        if "cutoff_date" not in columns:
            return "true"
        return f"cutoff_date between date {literal(str(self.first))} and date {literal(str(self.last))}"


@dataclass(frozen=True)
class Division:
    """How one file's work is divided: its parts in order, and the predicates of `user_index` that divide its users."""

    stretches: tuple[Stretch, ...]
    users: tuple[str, ...]


def divide(con: duckdb.DuckDBPyConnection, plan: Partitioned, workers: int) -> Division:
    """Two parts for each worker, so that the slowest does not end alone, or as many as memory wants; at least one."""
    cutoffs = [
        day for (day,) in con.execute(f"select distinct cutoff_date from {plan.cutoffs} order by all").fetchall()
    ]
    rows = max(_count(con, table) for table in plan.reads)
    wanted = max(2 * workers, -(-rows // ROWS_PER_PART))
    if plan.is_by_user and wanted > len(cutoffs):
        users = _user_stretches(_count(con, "staging.users"), -(-wanted // max(len(cutoffs), 1)))
        return Division(tuple(Stretch(day, day, number) for day in cutoffs for number in range(len(users))), users)
    groups = min(wanted, len(cutoffs))
    ends = [len(cutoffs) * number // groups for number in range(groups + 1)] if groups else []
    stretches = [Stretch(cutoffs[low], cutoffs[high - 1], 0) for low, high in pairwise(ends)]
    return Division(tuple(stretches), ("true",))


def _user_stretches(users: int, count: int) -> tuple[str, ...]:
    """Predicates that have each user once between them, and whoever comes after in the last."""
    ends = [users * number // count for number in range(1, count)]
    lows, highs = (0, *ends), (*ends, None)
    return tuple(
        f"user_index >= {low}" + ("" if high is None else f" and user_index < {high}")
        for low, high in zip(lows, highs, strict=True)
    )


def _count(con: duckdb.DuckDBPyConnection, relation: str) -> int:
    ((rows,),) = con.execute(f"select count(*) from {relation}").fetchall()
    return int(rows)
