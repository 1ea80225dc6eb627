"""What the home's own first night took, beside what the kept nights say of it."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.planning.shop import Shop
from warehouse import morning


@dataclass(frozen=True, kw_only=True)
class OwnNight:
    """`clock_s` are the seconds of each step by the clock."""

    run_id: str
    shop: Shop
    clock_s: dict[str, float]


def read_own_night(con: duckdb.DuckDBPyConnection) -> OwnNight | None:
    """The home's first released night, None before there is one; of the warehouse only."""
    rows = morning.first_night(con)
    if not rows:
        return None
    first = rows[0]
    sizes = {name: first[name] for name in ("users", "products", "events", "order_lines", "days", "sites")}
    return OwnNight(run_id=first["run_id"], shop=Shop(**sizes), clock_s={row["step"]: row["seconds"] for row in rows})
