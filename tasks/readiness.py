"""Which tasks can learn tonight, and why the others cannot."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from mtl_models.heads import TASKS
from tasks.read_samples import sample_tables
from warehouse.contracts.table import quote

# Fewer labelled rows than this teach a head noise.
FEWEST_LABELS = 200


@dataclass(frozen=True)
class Need:
    """What a task learns from: feeds, the label that counts, and which rows may carry it."""

    feeds: tuple[str, ...]
    label: str
    where: str = "true"


NEEDS = {
    "profile": Need(("orders",), "label_spend_28d"),
    "recommendation": Need(("order_lines",), "label_bought_28d"),
    "quality": Need(("behaviour_events",), "label_rating"),
    "pricing": Need(("order_lines",), "label_units", "is_priced"),
    "promotion": Need(("campaigns", "campaign_targets", "redemptions"), "label_redeemed"),
    "uplift": Need(("campaigns", "campaign_targets"), "label_ordered", "not is_offered"),
    "supply": Need(("order_lines",), "label_units"),
    "service_orders": Need(("service_tickets",), "label_contacted"),
    "service_days": Need(("service_tickets",), "label_contacts"),
    "service_tickets": Need(("service_tickets",), "label_handle_minutes"),
}


@dataclass(frozen=True)
class Readiness:
    """`labels`: rows to learn from by task; `not_ready`: why, in words, for the tasks that must wait."""

    labels: dict[str, int]
    not_ready: dict[str, str]

    @property
    def tasks(self) -> tuple[str, ...]:
        """Tasks that can learn, in the order of the joint batch."""
        return tuple(task for task in TASKS if task not in self.not_ready)


def check_readiness(con: duckdb.DuckDBPyConnection) -> Readiness:
    """Count each task's labels in the training windows."""
    counts, labels, not_ready = sample_tables(con), {}, {}
    for task, need in NEEDS.items():
        table = TASKS[task].table
        labels[task] = _labels(con, table, need) if table in counts else 0
        empty = [feed for feed in need.feeds if _is_empty(con, feed)]
        if empty:
            not_ready[task] = f"feed {', '.join(empty)} is missing or empty"
        elif labels[task] < FEWEST_LABELS:
            not_ready[task] = (
                f"{' and '.join(need.feeds)} give {labels[task]} rows to learn from; {FEWEST_LABELS} are needed"
            )
        elif not {"validation", "test"} <= set(counts[table]):
            not_ready[task] = "the history is too short to hold out windows to validate and to measure on"
    return Readiness(labels=labels, not_ready=not_ready)


def _labels(con: duckdb.DuckDBPyConnection, table: str, need: Need) -> int:
    query = f"select count({quote(need.label)}) from samples.{quote(table)} where fold = 'train' and {need.where}"
    return int(con.execute(query).fetchall()[0][0])


def _is_empty(con: duckdb.DuckDBPyConnection, feed: str) -> bool:
    return not con.execute(f"select 1 from raw.{quote(feed)} limit 1").fetchall()
