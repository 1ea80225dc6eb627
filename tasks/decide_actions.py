"""Decide: turn predictions into actions under the business's rules."""

from __future__ import annotations

import duckdb

from tasks.decisions import pricing, queue, recommendation, replenishment, service
from tasks.decisions.context import clear, is_served, prepare, run_step, write
from tasks.night import Night
from tasks.progress import report


def decide_actions(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, int]:
    """Fill schema `predictions` with this night's rows; rows per table.

    A head that no model serves gives empty tables. The order matters: prices come before demand, because
    forecasts and orders are for the price that will be charged.
    """
    prepare(con, night)
    served = {
        head: is_served(con, night, head)
        for head in ("profile", "recommendation", "pricing", "promotion", "supply", "service")
    }
    con.execute("begin")
    try:
        clear(con)
        run_step(con, "unserved")
        rows: dict[str, int] = {}
        if served["profile"]:
            report("Profiling users", 0.0)
            rows["user_profiles"] = write(con, "user_profiles")
        if served["pricing"]:
            report("Choosing prices", 0.1)
            rows |= pricing.decide(con, night)
        if served["pricing"] or served["supply"]:
            pricing.charge(con)
        if served["supply"]:
            report("Planning orders", 0.4)
            rows["demand_forecasts"] = write(con, "demand_forecasts")
            rows |= replenishment.decide(con)
        if served["recommendation"]:
            report("Ranking lists", 0.6)
            rows |= recommendation.decide(con, night)
        if served["promotion"]:
            rows["promotion_recommendations"] = write(con, "promotion_recommendations")
        if served["service"]:
            rows |= service.decide(con, night)
        report("Queueing actions", 0.9)
        rows |= queue.decide(con)
        con.execute("commit")
    except BaseException:
        con.execute("rollback")
        raise
    return rows
