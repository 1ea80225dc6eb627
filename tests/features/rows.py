"""Literal rows for small shops, and tables read back as rows."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from tasks.night import Night

MakeNight = Callable[..., Night]
EmptyShop = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]

AS_OF = date(2024, 10, 14)
SMALL_SHOP = (Path(__file__).parent / "small_shop.sql").read_text()
FUTURE = (Path(__file__).parent / "future.sql").read_text()


def add_product(con: duckdb.DuckDBPyConnection, product_id: str, category: str = "FOOD", **values: Any) -> None:
    """A product, if it is not there yet."""
    insert(con, "products", product_id=product_id, category=category, **values)


def add_order(
    con: duckdb.DuckDBPyConnection,
    order_id: str,
    user_id: str,
    moment: str,
    *lines: tuple[str, float, float],
    site_id: str = "s1",
    **values: Any,
) -> None:
    """An order of (product, quantity, sold price) lines at a UTC moment; the user and products that it names, too."""
    insert(con, "users", user_id=user_id)
    insert(con, "orders", order_id=order_id, user_id=user_id, ordered_at=moment, **values)
    for product_id, quantity, price in lines:
        add_product(con, product_id)
        insert(
            con,
            "order_lines",
            order_line_id=f"{order_id}-{product_id}",
            order_id=order_id,
            product_id=product_id,
            ship_from_site_id=site_id,
            quantity=quantity,
            sold_price=price,
        )


def insert(con: duckdb.DuckDBPyConnection, feed: str, **values: Any) -> None:
    """One row of a feed; nothing if its first value is there already."""
    columns = ", ".join(f"${number} as {name}" for number, name in enumerate(values, 1))
    key = next(iter(values))
    con.execute(
        f"insert into raw.{feed} by name select {columns} where $1 not in (select {key} from raw.{feed})",
        list(values.values()),
    )


def read(con: duckdb.DuckDBPyConnection, query: str, *parameters: Any) -> list[tuple[Any, ...]]:
    """The rows of a query."""
    return con.execute(query, list(parameters)).fetchall()


def comparable(
    con: duckdb.DuckDBPyConnection, table: str, without: set[str] = frozenset(), where: str = "true"
) -> list:
    """The rows of a table in a fixed order, numbers to five decimals, without the named columns."""
    schema, name = table.split(".")
    columns = read(
        con,
        "select column_name, data_type from duckdb_columns() where schema_name = $1 and table_name = $2 order by all",
        schema,
        name,
    )
    shown = [
        f"round({column}, 5)" if data_type in ("FLOAT", "DOUBLE") else column
        for column, data_type in columns
        if column not in without and not column.startswith("label_") and not column.endswith("_index")
    ]
    return read(con, f"select {', '.join(shown)} from {table} where {where} order by all")


def tables_with(con: duckdb.DuckDBPyConnection, column: str) -> list[str]:
    """The feature and sample tables that have the column."""
    rows = read(
        con,
        "select schema_name || '.' || table_name from duckdb_columns()"
        " where schema_name in ('features', 'samples') and column_name = $1"
        " and table_name in (select table_name from duckdb_tables()) order by all",
        column,
    )
    return [table for (table,) in rows]
