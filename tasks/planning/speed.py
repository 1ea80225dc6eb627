"""How fast this machine is, beside the one that the kept nights were measured on."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from warehouse.connect import open_memory

# Each kind is repeated for so long, and the best time counts: other work only ever makes one longer.
SECONDS = 1.5
QUERY = """
    select count(*), sum(total)
    from (
        select hash(row) % 100_000 as one, sum(row) as total, count(distinct row % 7) as kinds
        from range(300_000) as numbers (row)
        group by one
    )
"""


def reference_seconds() -> dict[str, float]:
    """{kind of step: processor seconds of a fixed piece of such work}; takes three seconds."""
    with open_memory() as con:
        con.execute("set threads = 1")
        database = _best(lambda: con.execute(QUERY).fetchall())
    # So small that a product keeps to one thread.
    numbers = np.random.default_rng(0).standard_normal((500, 60, 60)).astype(np.float32)
    return {"database": database, "model": _best(lambda: np.tanh(numbers @ numbers))}


def _best(work: Callable[[], object]) -> float:
    best, started = float("inf"), time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        clock = time.process_time()
        work()
        best = min(best, time.process_time() - clock)
    return round(best, 5)
