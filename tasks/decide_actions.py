"""Decide: turn predictions into actions under the business's rules."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.decisions import pricing, queue, recommendation, replenishment, service
from tasks.decisions.context import clear, is_served, prepare, run_step, write
from tasks.decisions.silent_heads import hold_silent_heads
from tasks.night import Night
from tasks.progress import report

# What each head predicts; a head without predictions, such as promotion without a coming campaign, decides nothing.
PREDICTED = {
    "profile": "profile",
    "recommendation": "recommendation",
    "quality": "product_quality",
    "pricing": "demand",
    "promotion": "promotion",
    "supply": "demand",
    "service": "service_days",
    "order_risks": "service_orders",
    "tickets": "service_tickets",
}


@dataclass(frozen=True)
class DecisionReport:
    """Rows written to each table of schema `predictions`."""

    rows: dict[str, int]

    def __str__(self) -> str:
        return ", ".join(f"{table} {rows:,}" for table, rows in self.rows.items())


def decide_actions(con: duckdb.DuckDBPyConnection, night: Night) -> DecisionReport:
    """Fill schema `predictions` with this night's rows, with none when something fails; the tables of a head that no
    model serves stay empty, and a head that has nothing to say is set to not_released.

    Not in one transaction: rows that are not committed are read with one thread, which takes twice the time.
    """
    prepare(con, night)
    clear(con)
    run_step(con, "unserved")
    try:
        rows = _decide(con, night)
        return DecisionReport(rows | dict.fromkeys(hold_silent_heads(con, night), 0))
    except BaseException:
        clear(con)
        raise


def _decide(con: duckdb.DuckDBPyConnection, night: Night) -> dict[str, int]:
    """Rows per table. The order matters: prices come before demand, because forecasts and orders are for the
    price that will be charged; what lists would sell comes before orders, which cover it, and orders come before the
    lists that are shown, which promise no more than there is. The queue reads all of it."""
    served = {head for head, table in PREDICTED.items() if is_served(con, night, head, table)}
    rows: dict[str, int] = {}
    if "profile" in served:
        report("profiling users", 0.0)
        rows["user_profiles"] = write(con, "user_profiles")
    if "pricing" in served:
        report("choosing prices", 0.1)
        rows |= pricing.decide(con, night)
    if "pricing" in served or "supply" in served:
        pricing.charge(con)
    candidates = None
    if "quality" in served:
        run_step(con, "product_qualities")
    if "recommendation" in served:
        report("ranking lists", 0.4)
        candidates = recommendation.wish(con, night)
    if "supply" in served:
        report("planning orders", 0.5)
        rows["demand_forecasts"] = write(con, "demand_forecasts")
        rows |= replenishment.decide(con)
    if candidates:
        report("allotting what is scarce", 0.7)
        rows |= recommendation.decide(con, candidates)
    if "promotion" in served:
        rows["promotion_recommendations"] = write(con, "promotion_recommendations")
    if "order_risks" in served:
        rows["order_contact_risks"] = service.judge_orders(con)
    if {"order_risks", "service"} <= served:
        run_step(con, "late_contacts")
    if "service" in served:
        rows["service_forecasts"] = service.staff(con, night)
    if "tickets" in served:
        rows["ticket_predictions"] = write(con, "ticket_predictions")
    report("queueing actions", 0.9)
    rows |= queue.decide(con)
    run_step(con, "decision_counts")
    run_step(con, "experiment_assignments")
    return rows
