"""A head that may serve but has nothing to say tonight is held back, and the others are published."""

from __future__ import annotations

import duckdb

from tasks.decisions.context import is_served
from tasks.night import Night

# The tables of a served head that may not be empty; campaigns and tickets may well be absent.
TABLES_OF_HEADS = {
    "profile": ("user_profiles",),
    "recommendation": ("product_recommendations",),
    "pricing": ("price_recommendations", "price_responses"),
    "supply": ("demand_forecasts", "replenishment_recommendations"),
}


def hold_silent_heads(con: duckdb.DuckDBPyConnection, night: Night) -> list[str]:
    """Set served heads to not_released of which a table is empty, as those about products are on the night on which all
    of a shop's products are new; what else they wrote is withdrawn. Names of their tables."""
    withdrawn: list[str] = []
    for head, tables in TABLES_OF_HEADS.items():
        empty = [name for name in tables if not con.execute(f"select 1 from predictions.{name} limit 1").fetchall()]
        if empty and is_served(con, night, head):
            con.execute(
                """update ops.head_status
                set status = 'not_released', model_version = null, reason = reason || $3
                where run_id = $1 and head = $2""",
                [night.run_id, head, f"; held back: tonight nothing can be said in {', '.join(empty)}"],
            )
            for name in tables:
                con.execute(f"delete from predictions.{name}")
            withdrawn += tables
    return withdrawn
