"""Numbers and days in words."""

from __future__ import annotations

from datetime import date

import pytest

from tasks.report import words


@pytest.mark.parametrize(
    ("filter", "value", "expected"),
    [
        ("count", 1234.0, "1,234"), ("count", 3.25, "3.2"), ("count", 20.4, "20"), ("count", None, "–"),
        ("money", 99.5, "99.50"), ("money", 1234.5, "1,234"), ("money", -250.2, "-250"),
        ("price", 1234.5, "1,234.50"), ("decimal", 0.123456, "0.1235"),
        ("percent", 0.123, "12%"), ("percent", 0.034, "3.4%"), ("percent", 0.0, "0%"),
        ("change", 0.1, "+10%"), ("change", -0.034, "-3.4%"), ("change", 0.0, "0%"),
        ("day", date(2026, 7, 4), "Saturday 4 July 2026"), ("short_day", date(2026, 7, 4), "Sat 4 Jul"),
        ("plain", "where_is_my_order", "where is my order"), ("plain", None, "–"),
    ],
)  # fmt: skip
def test_values(filter: str, value: object, expected: str) -> None:
    assert words.FILTERS[filter](value) == expected


@pytest.mark.parametrize(
    ("number", "noun", "expected"),
    [
        (0, "order", "no orders"), (1, "query", "1 query"), (2, "query", "2 queries"),
        (1200, "promise", "1,200 promises"), (3, "day", "3 days"), (2, "tax", "2 taxes"), (None, "order", "no orders"),
    ],
)  # fmt: skip
def test_how_many(number: float | None, noun: str, expected: str) -> None:
    assert words.times(number, noun) == expected


def test_words_agree_with_their_number() -> None:
    assert [words.agree(number, "is") for number in (0, 1, 2)] == ["are", "is", "are"]
    assert words.agree(2, "promise") == "promises"
