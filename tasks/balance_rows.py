"""Every row that came in is somewhere, and the night says where."""

from __future__ import annotations

from collections.abc import Sequence

import duckdb

from tasks.gates import GateStopped
from tasks.night import Night
from warehouse.balance import Balance, RowsUnaccounted, take_balance
from warehouse.contracts import FEEDS, Table


def balance_rows(con: duckdb.DuckDBPyConnection, night: Night, feeds: Sequence[Table] = FEEDS) -> Balance:
    """Note in `ops.row_balances` where the rows of every feed are; returns where those of tonight's inputs are.

    `GateStopped` when rows were lost or doubled.
    """
    try:
        return take_balance(con, night.run_id, feeds)
    except RowsUnaccounted as wrong:
        raise GateStopped(
            "data",
            f"the rows do not add up: {wrong}.",
            "restore warehouse.duckdb from a backup, or remove it so that the next night loads every feed again, and "
            "report it.",
        ) from wrong
