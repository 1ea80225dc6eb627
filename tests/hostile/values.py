"""Hostile values: one cell of a good file at a time, in every format."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count, cycle, islice
from typing import Any

from tests.hostile.good import ROWS, as_csv, as_ndjson, as_parquet, good_rows, with_values
from tests.hostile.outcome import Case

NOT_A_NUMBER = ("nan", "inf", "-inf", "1e400", "1e16", "x", "1,5", "0x1F", "NULL", "１２", "{}", "--1")
NO_MOMENT = (
    *("0001-01-01", "1969-12-31T23:59:59", "10000-01-01", "infinity", "-infinity", "0044-03-15 (BC)", "2026-02-30"),
    *("290000-01-01", "now", "yesterday", "03/01/2026", "1772323200", "2026-03-01T25:00:00"),
)
# feed, column, values that are set aside, the rule
ASIDE: tuple[tuple[str, str, tuple[Any, ...], str], ...] = (
    ("order_lines", "quantity", NOT_A_NUMBER, "quantity_parses"),
    ("order_lines", "quantity", (-1, -0.001, "-5"), "quantity_in_range"),
    ("order_lines", "quantity", ("", None, "  "), "quantity_present"),
    ("order_lines", "sold_price", ("nan", "1e15", "abc", "$1", "1.2.3"), "sold_price_parses"),
    ("order_lines", "sold_price", ("-0.01", -7), "sold_price_in_range"),
    ("order_lines", "shipped_at", NO_MOMENT, "shipped_at_parses"),
    ("order_lines", "promised_delivery_date", ("0001-01-01", "2026-03-01T10:00", "x"), "promised_delivery_date_parses"),
    *(("order_lines", "order_line_id", (blank,), "order_line_id_present") for blank in ("", "   ", None)),
    ("order_lines", "product_id", ("", None), "product_id_present"),
    ("order_lines", "order_line_id", ("l7", "l8"), "key_unique"),
    ("orders", "ordered_at", ("9999-12-31", "2200-01-01", "0001-01-01"), "ordered_at_parses"),
    ("orders", "ordered_at", ("", None), "ordered_at_present"),
    ("orders", "currency", ("USD", "eur", "ZZZ", "€"), "currency_is_the_shop_s"),
    ("orders", "status", ("lost", "Completed"), "status_known"),
    ("orders", "shipping_total", ("-1", -0.5), "shipping_total_in_range"),
    ("orders", "user_id", ("", None), "user_id_present"),
    ("products", "list_price", (-1, "-0.5"), "list_price_in_range"),
    ("products", "currency", ("USD",), "currency_is_the_shop_s"),
    ("users", "household_size", (0, 21, "-3"), "household_size_in_range"),
    ("users", "has_marketing_consent", ("maybe", "2"), "has_marketing_consent_parses"),
    *(("users", "user_id", (blank,), "user_id_present") for blank in ("", " ", None)),
    ("inventory_snapshots", "on_hand_units", ("nan", "-inf"), "on_hand_units_parses"),
    ("inventory_snapshots", "snapshot_date", ("0001-01-01", "9999-12-31", "x"), "snapshot_date_parses"),
)
# feed, column, values that stay, rules that they break all the same
STAYS: tuple[tuple[str, str, tuple[Any, ...], tuple[str, ...]], ...] = (
    ("order_lines", "order_id", ("nobody-s",), ("order_id_exists",)),
    (
        "order_lines",
        "product_id",
        ("'; drop table raw.orders; --", '"', "{batch}", ":name", "%s"),
        ("product_id_exists",),
    ),
    ("order_lines", "delivered_at", ("2026-02-01",), ("delivered_at_not_before_shipped_at",)),
    ("order_lines", "delivered_at", ("9999-12-31T23:59:59", "2026-03-02T12:00:00+14:00"), ()),
    ("order_lines", "quantity", (0, "1e15", " 5 ", "+5"), ()),
    ("orders", "order_total", (-3,), ("order_total_in_range",)),
    ("users", "region", ("\u202eevil", "𝒳" * 100, "a\nb", "=cmd()", "<script>", "x" * 100_000), ()),
)


# As many hostile rows of forty are set aside before they are too many.
_A_FILE = 4


def cases(formats: int = 1) -> Iterator[Case]:
    """Every value, some in a file, each file in so many of the three formats, by turns."""
    number = count(1)
    hostile = [(feed, column, values, rule, ()) for feed, column, values, rule in ASIDE]
    hostile += [(feed, column, values, "", rules) for feed, column, values, rules in STAYS]
    files = [(feed, column, few, rule, rules) for feed, column, values, rule, rules in hostile for few in _some(values)]
    for turn, (feed, column, few, rule, warned) in enumerate(files):
        aside = {rule: len(few)} if rule else {}
        for file, content in islice(cycle(_files(feed, column, few)), turn % 3, turn % 3 + formats):
            name = f"{next(number)} {column} {few[0]!a:.20} and so on in {file}"
            loaded = ROWS - sum(aside.values())
            yield Case(name, file, content, feed=feed, loaded=loaded, aside=aside, warned=warned)


def _some(values: tuple[Any, ...]) -> Iterator[tuple[Any, ...]]:
    for start in range(0, len(values), _A_FILE):
        yield values[start : start + _A_FILE]


def _files(feed: str, column: str, few: tuple[Any, ...]) -> list[tuple[str, str | bytes]]:
    rows = with_values(good_rows(feed), column, few)
    return [
        (f"{feed}.csv", as_csv(rows)),
        (f"{feed}.ndjson", as_ndjson(rows)),
        (f"{feed}.parquet", as_parquet(rows)),
    ]
