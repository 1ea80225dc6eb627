"""Customer service: the coming contacts, the agents they need, and the orders that will cause them."""

from __future__ import annotations

import duckdb

from mtl_models.decisions.staffing import required_agents
from tasks.decisions.context import arrays, run_step, store, write
from tasks.night import Night


def judge_orders(con: duckdb.DuckDBPyConnection) -> int:
    """Fill order_contact_risks. Rows written."""
    run_step(con, "contact_reasons")
    return write(con, "order_contact_risks")


def staff(con: duckdb.DuckDBPyConnection, night: Night) -> int:
    """Fill service_forecasts. Rows written."""
    run_step(con, "service_queues")
    queues = arrays(
        con,
        """select queue_row, contacts_mean, handle_minutes, service_level, answer_within_minutes,
            maximum_occupancy_ratio
        from service_queues where handle_minutes > 0""",
    )
    agents = required_agents(
        queues["contacts_mean"] / night.decisions.staffing.open_hours_per_day,
        queues["handle_minutes"],
        queues["service_level"],
        queues["answer_within_minutes"],
        queues["maximum_occupancy_ratio"],
    )
    store(con, "service_staff", {"queue_row": queues["queue_row"], "required_agents": agents})
    rows = write(con, "service_forecasts")
    run_step(con, "decided_agents")
    return rows
