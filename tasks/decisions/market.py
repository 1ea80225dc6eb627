"""Lists and their bids for what is scarce, as temporary tables: what is read of them at once does not grow with the
shop."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import duckdb

from mtl_models.decisions.allotment import Bids, Candidates
from tasks.decisions.context import append, arrays, run_step

# Pairs of user and product, and bids, that are in memory at once: some 100 MB of arrays.
AT_ONCE = 250_000

# The pair_rows of some whole users: the first, and the first after them.
Part = tuple[int, int]


def parts_of_users(con: duckdb.DuckDBPyConnection) -> list[Part]:
    """`recommendation_pairs` in parts of about so many pairs, all of a user's in one."""
    return con.execute(
        """
        select min(first_row), max(last_row) + 1
        from (
            select min(pair_row) as first_row, max(pair_row) as last_row from recommendation_pairs group by user_index
        )
        group by first_row // $1
        order by all
        """,
        [AT_ONCE],
    ).fetchall()


@dataclass(frozen=True, kw_only=True)
class PairMarket:
    """The market of `contested_pairs`, whose users come in these parts; numbers are pair_rows."""

    con: duckdb.DuckDBPyConnection
    parts: Sequence[Part]

    @property
    def candidates(self) -> int:
        """All pairs, contested or not."""
        return self.parts[-1][1] if self.parts else 0

    def lists(self) -> Iterator[Candidates]:
        """What a user knows and what is new to the user are lists of their own."""
        for first, end in self.parts:
            columns = arrays(
                self.con,
                f"""select part as list_number, pair_row as number, product_index as product, worth as value, need
                from contested_pairs where pair_row >= {first} and pair_row < {end} order by pair_row""",
            )
            yield Candidates(**columns)

    def by_product(self, bids: Iterable[Bids]) -> Iterator[Bids]:
        """Writes the bids down, and reads them again product by product."""
        run_step(self.con, "bids")
        for some in bids:
            append(self.con, "bids", vars(some))
        ranges = self.con.execute(
            """
            select min(product), max(product)
            from (select product, sum(count(*)) over (order by product) - count(*) as before from bids group by product)
            group by before // $1
            order by all
            """,
            [AT_ONCE],
        ).fetchall()
        for first, last in ranges:
            query = f"from bids where product between {first} and {last} order by product, bid desc, number"
            yield Bids(**arrays(self.con, query))
