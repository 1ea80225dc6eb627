"""How old the newest row of a feed is on the day of the night."""

from __future__ import annotations

from datetime import date

import duckdb

from warehouse.contracts.table import Table, quote
from warehouse.validation.results import Result

# A feed that comes daily or weekly has a row within the last seven days.
_FRESH_DAYS = 7
# The UTC moment at which the as-of date begins in the business time zone.
_FIRST_MOMENT = "($1::date::timestamp at time zone getvariable('time_zone') at time zone 'UTC')"


def check_freshness(con: duckdb.DuckDBPyConnection, table: Table, as_of_date: date) -> Result:
    """Days from the newest row before the as-of date to that date, by the feed's `event_column`.

    Days are those of the business time zone. A stale essential feed is a warning, any other a piece of news.
    """
    if table.event_column is None:
        raise ValueError(f"{table.name} has no event_column to tell its age by")
    column = quote(table.event_column)
    is_date = table.column(table.event_column).type == "DATE"
    # Converting one moment, not every row's: the conversion between time zones is the costly part.
    first_moment = "$1::date" if is_date else _FIRST_MOMENT
    newest_date = "newest" if is_date else "newest at time zone 'UTC' at time zone getvariable('time_zone')"
    ((rows, newest, days),) = con.execute(
        f"with seen as (select count(*) as row_count, max({column}) as newest from {table.qualified_name} "
        f"where {column} < {first_moment}) "
        f"select row_count, cast({newest_date} as date), date_diff('day', cast({newest_date} as date), $1::date) "
        f"from seen",
        [as_of_date],
    ).fetchall()
    is_fresh = days is not None and days <= _FRESH_DAYS
    return Result(
        table_name=table.name,
        rule="is_fresh",
        meaning=f"the newest {table.event_column} is at most {_FRESH_DAYS} days before the as-of date",
        severity="warning" if table.essential else "info",
        scope="table",
        is_passed=is_fresh,
        rows_checked=rows,
        rows_broken=0 if is_fresh else 1,
        detail=f"newest {newest}, {days} days before" if newest else "no row before the as-of date",
    )
