"""What every decision shares: the night's variables and policy views in SQL, and how a table is written."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
from numpy.typing import NDArray

from tasks.decisions.groups import tell_groups
from tasks.night import Night
from warehouse.connect import SQL_FOLDER, read_sql
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.contracts.table import quote

Arrays = dict[str, NDArray[Any]]

# The lists, numbered from 1 in SQL: the best of all products, of those bought before, of new ones; and for everyone.
PLACEMENTS = ("for_you", "buy_again", "new_to_you", "popular")

_TABLES = {table.name: table for table in PUBLISHED_TABLES}


def prepare(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Make the night's settings readable in SQL (`getvariable`) and create what warehouse/views says of stock, rules,
    experiments and people's decisions; what many queries read is a table, made once."""
    pricing, stock, staffing = night.decisions.pricing, night.decisions.replenishment, night.decisions.staffing
    lists = night.decisions.recommendation
    variables = {
        "as_of_date": night.as_of_date,
        "run_id": night.run_id,
        "currency": night.currency,
        "time_zone": night.time_zone,
        "maximum_change_ratio": pricing.maximum_change_ratio,
        "minimum_margin_ratio": pricing.minimum_margin_ratio,
        "price_endings": ",".join(pricing.price_endings),
        "placements": list(PLACEMENTS),
        "order_by": lists.order_by,
        "exploration_ratio": lists.exploration_ratio,
        "minimum_in_stock_probability": lists.minimum_in_stock_probability,
        "service_level": stock.service_level,
        "holding_cost_ratio": stock.holding_cost_ratio,
        "order_line_cost": stock.order_line_cost,
        "review_days": float(stock.review_days),
        "lead_time_days": float(stock.lead_time_days),
        "answered_in_time_ratio": staffing.answered_in_time_ratio,
        "answer_within_minutes": staffing.answer_within_minutes,
        "maximum_occupancy_ratio": staffing.maximum_occupancy_ratio,
        "open_hours_per_day": staffing.open_hours_per_day,
        "agent_hour_cost": staffing.agent_hour_cost,
        "message_cost": staffing.message_cost,
        "message_effect_ratio": staffing.message_effect_ratio,
        "predicted_at": datetime.now(UTC).replace(tzinfo=None),
    }
    for name, value in variables.items():
        con.execute(f"set variable {name} = $1", [value])
    tell_groups(con, night)
    for view in sorted(Path(SQL_FOLDER / "views").glob("*.sql")):
        con.execute(view.read_text(encoding="utf-8"))


def is_served(con: duckdb.DuckDBPyConnection, night: Night, head: str, table: str | None = None) -> bool:
    """Whether tonight's model or the champion serves the head, and has predicted something (`predicted.<table>`);
    what no model serves is not published."""
    query = (
        "select count(*) from ops.head_status where run_id = $1 and head = $2 and status in ('released', 'champion')"
    )
    served = con.execute(query, [night.run_id, head]).fetchone()
    query = "select count(*) from duckdb_tables() where schema_name = 'predicted' and table_name = $1"
    predicted = con.execute(query, [table]).fetchone()
    return served != (0,) and (table is None or predicted != (0,))


def write(con: duckdb.DuckDBPyConnection, name: str) -> int:
    """Fill predictions.<name> with the rows of warehouse/decisions/<name>.sql, stamped with the night. Rows written.

    Rows lie in the order of the key, so that a night that is run again gives the same file to read.
    """
    table = _TABLES[name]
    key = ", ".join(quote(column) for column in table.key)
    columns = ", ".join(quote(column) for column in table.column_names)
    rows = con.execute(
        f"""insert into {table.qualified_name} ({columns})
        select {columns} from (
            select
                decided.*,
                getvariable('run_id') as run_id,
                getvariable('as_of_date') as as_of_date,
                getvariable('predicted_at') as predicted_at
            from ({read_sql(f"decisions/{name}.sql")}) as decided
        ) order by {key}"""
    ).fetchone()
    return int(rows[0]) if rows else 0


def clear(con: duckdb.DuckDBPyConnection) -> None:
    """Empty every published table: they hold one night, or nothing."""
    for table in PUBLISHED_TABLES:
        con.execute(f"delete from {table.qualified_name}")


def run_step(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Create the temporary table of warehouse/decisions/steps/<name>.sql."""
    con.execute(read_sql(f"decisions/steps/{name}.sql"))


def arrays(con: duckdb.DuckDBPyConnection, query: str) -> Arrays:
    """The columns of a query as arrays of their own; an empty number is NaN."""
    table = con.sql(query).to_arrow_table()
    return {name: table.column(name).to_numpy().copy() for name in table.column_names}


def store(con: duckdb.DuckDBPyConnection, name: str, columns: Arrays) -> None:
    """Keep arrays as a temporary table for the SQL that follows; NaN becomes empty."""
    con.register("incoming_arrays", columns)
    con.execute(f"create or replace temp table {quote(name)} as select * from incoming_arrays")
    con.unregister("incoming_arrays")


def append(con: duckdb.DuckDBPyConnection, name: str, columns: Arrays) -> None:
    """Add arrays as rows to the temporary table, which has columns of these names."""
    con.register("incoming_arrays", columns)
    con.execute(f"insert into {quote(name)} by name select * from incoming_arrays")
    con.unregister("incoming_arrays")
