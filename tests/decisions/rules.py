"""What several tests of decisions share: rows of a query, and rules as a manager would write them."""

from __future__ import annotations

import duckdb

Warehouse = duckdb.DuckDBPyConnection

STOCK = """
insert into raw.inventory_snapshots by name
select date '2017-12-03' as snapshot_date, 'site-1' as site_id, 'product-' || i as product_id,
    i * 5.0 as on_hand_units, 0.0 as committed_units, i * 5.0 as available_units, 0.0 as incoming_units
from range(0, 50) as t(i);
"""


def rows(con: Warehouse, query: str) -> list[tuple]:
    return con.execute(query).fetchall()


def pricing_rule(con: Warehouse, rule_id: str, scope: str, scope_id: str | None, **limits: object) -> None:
    columns = "".join(f", ${number + 4} as {name}" for number, name in enumerate(limits))
    con.execute(
        f"insert into raw.pricing_rules by name select $1 as rule_id, $2 as scope, $3 as scope_id, "
        f"date '2017-01-01' as valid_from{columns}",
        [rule_id, scope, scope_id, *limits.values()],
    )


def recommendation_rule(con: Warehouse, rule_id: str, scope: str, scope_id: str | None, action: str, **more) -> None:
    con.execute(
        "insert into raw.recommendation_rules by name select $1 as rule_id, $2 as scope, $3 as scope_id, "
        "date '2017-01-01' as valid_from, $4 as action, $5 as weight, $6 as placement, $7::date as valid_to",
        [rule_id, scope, scope_id, action, more.get("weight"), more.get("placement"), more.get("valid_to")],
    )
