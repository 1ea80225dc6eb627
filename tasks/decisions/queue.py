"""The action queue: what to do first, over all heads."""

from __future__ import annotations

import duckdb
import numpy as np

from mtl_models.decisions.action_queue import LEFT_OUT, rank_actions
from tasks.decisions.context import arrays, run_step, store, write


def decide(con: duckdb.DuckDBPyConnection) -> dict[str, int]:
    """Fill action_queue from the decisions that are in schema `predictions`. Rows written."""
    run_step(con, "proposed_actions")
    actions = arrays(
        con,
        """select
            rowid as action_row,
            cast(dense_rank() over (order by head) - 1 as bigint) as head_number,
            coalesce(value_at_stake, 0) as value_at_stake,
            is_margin
        from proposed_actions order by rowid""",
    )
    # Revenue counts with the margin that is usual where costs are known; with no cost at all, all is revenue.
    usual = con.execute(
        """select coalesce(median(expected_margin_now / nullif(expected_revenue_now, 0)), 1)
        from predictions.price_recommendations where expected_margin_now > 0"""
    ).fetchone()
    rank = rank_actions(
        actions["head_number"],
        actions["value_at_stake"],
        actions["is_margin"].astype(bool),
        float(usual[0]) if usual else 1.0,
        actions["action_row"],
    )
    kept = rank != LEFT_OUT
    store(con, "action_ranks", {"action_row": actions["action_row"][kept], "rank": rank[kept].astype(np.int64)})
    return {"action_queue": write(con, "action_queue")}
