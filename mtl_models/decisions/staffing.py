"""How many agents a queue needs: Erlang C (Erlang 1917; Gans, Koole and Mandelbaum 2003)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

MOST_AGENTS = 1000


def required_agents(
    contacts_per_hour: Floats,
    handle_minutes: Floats,
    service_level: Floats,
    answer_within_minutes: Floats,
    maximum_occupancy: Floats,
) -> NDArray[np.int64]:
    """The fewest agents with which the promised share of contacts is answered in time and nobody is busier
    than allowed. (n,); 0 without contacts. Waiting probabilities by the recursion of Erlang B, which is stable
    for any number of agents. ValueError when a queue would need more than 1000 agents.
    """
    load = contacts_per_hour * handle_minutes / 60
    wanted = np.zeros(len(load), np.int64)
    is_open = load > 0
    blocked = np.ones_like(load)
    for agents in range(1, MOST_AGENTS + 1):
        if not is_open.any():
            return wanted
        blocked = load * blocked / (agents + load * blocked)
        occupancy = load / agents
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            delayed = np.where(occupancy < 1, blocked / (1 - occupancy * (1 - blocked)), 1.0)
            late = delayed * np.exp(-np.maximum(agents - load, 0) * answer_within_minutes / handle_minutes)
        is_enough = is_open & (occupancy < 1) & (1 - late >= service_level) & (occupancy <= maximum_occupancy)
        wanted[is_enough] = agents
        is_open &= ~is_enough
    raise ValueError(f"a queue needs more than {MOST_AGENTS} agents: check handle minutes and contacts per hour")
