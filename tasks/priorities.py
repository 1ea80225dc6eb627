"""How much each task counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

import duckdb

from mtl_models.config import ModelConfig
from mtl_models.heads import weight_name


def read_priorities(con: duckdb.DuckDBPyConnection, as_of_date: date) -> dict[str, float]:
    """What the business says of each head on that day (raw.head_priorities; the newest rule counts)."""
    rules = con.execute(
        """
        select scope_id, arg_max(weight, (valid_from, rule_id)) from raw.head_priorities
        where valid_from <= $1 and (valid_to is null or valid_to > $1)
        group by scope_id
        """,
        [as_of_date],
    ).fetchall()
    return dict(rules)


def loss_weights(config: ModelConfig, priorities: Mapping[str, float], tasks: Iterable[str]) -> dict[str, float]:
    """lambda_j of each task: the setting (1 for a head without one) times the priority of its head."""
    settings = config.task_weights.model_dump()
    names = {task: weight_name(task) for task in tasks}
    return {task: settings.get(name, 1.0) * priorities.get(name, 1.0) for task, name in names.items()}
