"""Recommendations: ranked lists for every user, and one for everyone else."""

from __future__ import annotations

import duckdb

from mtl_models.decisions.ranking import NOT_SHOWN, rank_lists
from tasks.decisions.context import arrays, run_step, store, write
from tasks.night import Night


def decide(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, int]:
    """Fill product_recommendations. Rows written."""
    run_step(con, "recommendation_candidates")
    candidates = arrays(
        con,
        """select rowid as candidate_row, list_number, score, product_index, cap_number, cap, lottery
        from recommendation_candidates""",
    )
    rank, is_exploration = rank_lists(
        candidates["list_number"],
        candidates["score"],
        candidates["product_index"],
        candidates["cap_number"],
        candidates["cap"],
        night.decisions.recommendation.list_length,
        night.decisions.recommendation.exploration_ratio,
        candidates["lottery"],
    )
    shown = rank != NOT_SHOWN
    store(
        con,
        "recommendation_ranks",
        {
            "candidate_row": candidates["candidate_row"][shown],
            "rank": rank[shown],
            "is_exploration": is_exploration[shown],
        },
    )
    return {"product_recommendations": write(con, "product_recommendations")}
