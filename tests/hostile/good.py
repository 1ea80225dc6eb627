"""Good files, which the corpus spoils: forty rows of each feed, in any format."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from pyarrow import parquet

Rows = list[dict[str, Any]]
ROWS = 40


def known_rows(feed: str) -> Rows:
    """What the warehouse knows of users, products and orders before a hostile file comes."""
    return [_ROW[feed](number) for number in range(ROWS)]


def good_rows(feed: str) -> Rows:
    """New rows of the feed; every id that they name is known."""
    key = {"users": "user_id", "products": "product_id", "orders": "order_id"}.get(feed)
    return [{**row, key: f"new-{row[key]}"} if key else row for row in known_rows(feed)]


def _line(number: int) -> dict[str, Any]:
    return {
        "order_line_id": f"l{number}",
        "order_id": f"o{number}",
        "product_id": f"p{number}",
        "quantity": 1 + number % 3,
        "sold_price": 1.5,
        "promised_delivery_date": date(2026, 3, 3),
        "shipped_at": datetime(2026, 3, 1, 12),
        "delivered_at": datetime(2026, 3, 2, 12),
    }


def _order(number: int) -> dict[str, Any]:
    return {
        "order_id": f"o{number}",
        "user_id": f"u{number}",
        "ordered_at": datetime(2026, 3, 1, number % 24),
        "status": "completed",
        "currency": "EUR",
        "shipping_total": 1.25,
        "order_total": 9.5,
    }


_ROW = {
    "users": lambda number: {
        "user_id": f"u{number}",
        "region": "north",
        "household_size": 2,
        "has_marketing_consent": True,
    },
    "products": lambda number: {
        "product_id": f"p{number}",
        "product_title": "Bread",
        "list_price": 2,
        "currency": "EUR",
    },
    "orders": _order,
    "order_lines": _line,
    "inventory_snapshots": lambda number: {
        "snapshot_date": date(2026, 3, 1),
        "site_id": "north",
        "product_id": f"p{number}",
        "on_hand_units": number,
    },
}


def with_values(rows: Rows, column: str, values: Sequence[object]) -> Rows:
    """The rows, with these values in the column of the first ones."""
    return [
        {**row, column: values[number] if number < len(values) else row.get(column)} for number, row in enumerate(rows)
    ]


def as_csv(rows: Rows, delimiter: str = ",") -> str:
    """With a header; a value is quoted where it needs to be."""
    lines = [delimiter.join(_cell(name, delimiter) for name in rows[0])]
    lines += [delimiter.join(_cell(value, delimiter) for value in row.values()) for row in rows]
    return "\n".join(lines) + "\n"


def _cell(value: object, delimiter: str) -> str:
    text = "" if value is None else str(value)
    return '"' + text.replace('"', '""') + '"' if any(mark in text for mark in f'{delimiter}"\n') else text


def as_ndjson(rows: Rows) -> str:
    """One object a line."""
    return "".join(json.dumps(row, default=str) + "\n" for row in rows)


def as_parquet(rows: Rows, columns: Mapping[str, pa.Array] | None = None, **options: Any) -> bytes:
    """Typed as Arrow types the values; a column of several kinds is text. `columns` replace those of the rows."""
    arrays = {name: _array([row[name] for row in rows]) for name in rows[0]}
    return parquet_of(pa.table({**arrays, **(columns or {})}), **options)


def parquet_of(table: pa.Table, **options: Any) -> bytes:
    """The table as a file."""
    sink = io.BytesIO()
    parquet.write_table(table, sink, **options)
    return sink.getvalue()


def _array(values: list[object]) -> pa.Array:
    kinds = {type(value) for value in values if value is not None}
    if len(kinds - {int, float}) and len(kinds) > 1:
        return pa.array([None if value is None else str(value) for value in values])
    return pa.array([float(value) if kinds == {int, float} and value is not None else value for value in values])
