"""The balance of rows: each row that was read is in its feed, set aside, replaced by a newer one, or erased.

What was read is counted when it is read, the rest where it lies now; so a row that is lost or doubled by whatever
mistake shows as a difference.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import duckdb

from warehouse.connect import read_sql
from warehouse.contracts import FEEDS, Table


class RowsUnaccounted(Exception):  # noqa: N818 - it says what is so, not what failed
    """Rows were lost or doubled; the message names the feed and the input."""


@dataclass(frozen=True, kw_only=True)
class Balance:
    """Where the rows are that were read: of one night's loads, or of all."""

    rows_read: int
    rows_in_feed: int
    rows_quarantined: int
    rows_replaced: int
    rows_erased: int

    def __str__(self) -> str:
        erased = f" + {self.rows_erased:,} erased" if self.rows_erased else ""
        return (
            f"{self.rows_read:,} rows in = {self.rows_in_feed:,} loaded + {self.rows_quarantined:,} set aside + "
            f"{self.rows_replaced:,} replaced{erased}"
        )


def take_balance(con: duckdb.DuckDBPyConnection, run_id: str, feeds: Collection[Table] = FEEDS) -> Balance:
    """Count every row, note the balance of each feed in `ops.row_balances`, and return that of the night's own loads.

    RowsUnaccounted when it does not come out even.
    """
    _open_older_loads(con, feeds)
    _count(con, feeds)
    wrong = con.execute(
        "select feed, input_name, rows_read, rows_unaccounted from load_balance where rows_unaccounted <> 0 "
        "order by abs(rows_unaccounted) desc, load_id limit 1"
    ).fetchall()
    for feed, name, rows_read, unaccounted in wrong:
        what = "are nowhere" if unaccounted > 0 else "too many are there"
        raise RowsUnaccounted(f"feed {feed}, file {name}: of {rows_read:,} rows read, {abs(unaccounted):,} {what}")
    con.execute("delete from ops.row_balances where run_id = $1", [run_id])
    con.execute(
        """
        insert into ops.row_balances
        select $1, feed, sum(rows_read), sum(rows_in_feed), sum(rows_quarantined), sum(rows_replaced),
            sum(rows_erased), now() at time zone 'UTC'
        from load_balance
        group by feed
        order by feed
        """,
        [run_id],
    )
    ((*counts,),) = con.execute(
        """
        select coalesce(sum(rows_read), 0), coalesce(sum(rows_in_feed), 0), coalesce(sum(rows_quarantined), 0),
            coalesce(sum(rows_replaced), 0), coalesce(sum(rows_erased), 0)
        from load_balance
        where run_id = $1
        """,
        [run_id],
    ).fetchall()
    names = ("rows_read", "rows_in_feed", "rows_quarantined", "rows_replaced", "rows_erased")
    return Balance(**dict(zip(names, map(int, counts), strict=True)))


@contextmanager
def booking_erased(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """Book as erased what the block takes out, load by load. The caller holds the transaction of both."""
    _count(con, FEEDS)
    con.execute("create or replace temp table before_erasure as from load_balance")
    yield
    _count(con, FEEDS)
    con.execute(
        """
        update ops.loads as loads
        set rows_erased = loads.rows_erased + now_gone.row_count
        from (
            select load_id, after.rows_unaccounted - before_erasure.rows_unaccounted as row_count
            from before_erasure
            join load_balance as after using (load_id)
        ) as now_gone
        where loads.load_id = now_gone.load_id and now_gone.row_count <> 0
        """
    )


def _count(con: duckdb.DuckDBPyConnection, feeds: Collection[Table]) -> None:
    """The temporary table `load_balance`, see balance.sql."""
    in_feeds = " union all ".join(
        f"select _load_id as load_id, count(*) as row_count from {table.qualified_name} "
        f"where _load_id is not null group by all"
        for table in feeds
    )
    con.execute(f"create or replace temp table rows_in_feeds as {in_feeds}")
    con.execute(
        "create or replace temp table rows_set_aside as "
        "select load_id, count(*) as row_count from ops.quarantined_rows where load_id is not null group by all"
    )
    con.execute(read_sql("balance.sql"))


def _open_older_loads(con: duckdb.DuckDBPyConnection, feeds: Collection[Table]) -> None:
    """Loads of a version that kept no balance start with one that is even: what is gone of them made way."""
    if not con.execute("select 1 from ops.loads where rows_superseded is null limit 1").fetchall():
        return
    con.execute(
        """
        update ops.quarantined_rows as kept
        set load_id = coalesce(try_cast(row_json ->> '$._load_id' as bigint), loads.load_id)
        from ops.loads as loads
        where kept.load_id is null
            and loads.feed = kept.table_name and loads.input_name = kept.input_name
            and (row_json ->> '$._load_id' is not null or loads.run_id = kept.run_id)
        """
    )
    _count(con, feeds)
    con.execute(
        """
        update ops.loads as loads
        set rows_read = load_balance.rows_read, rows_superseded = greatest(rows_unaccounted, 0),
            rows_erased = coalesce(loads.rows_erased, 0), rows_unrecorded = coalesce(loads.rows_unrecorded, 0)
        from load_balance
        where loads.load_id = load_balance.load_id and is_opening
        """
    )
