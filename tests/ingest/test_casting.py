from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pytest

from warehouse.casting import parsed
from warehouse.connect import open_memory
from warehouse.contracts import table as contract


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        (contract.moment("a", ""), "2026-03-01T10:00:00+02:00", datetime(2026, 3, 1, 8)),
        (contract.moment("a", ""), "2026-03-01T10:00:00Z", datetime(2026, 3, 1, 10)),
        (contract.moment("a", ""), "2026-03-01 10:00:00", datetime(2026, 3, 1, 10)),
        (contract.moment("a", ""), "2026-03-01", datetime(2026, 3, 1)),
        (contract.moment("a", ""), "03/01/2026", None),
        (contract.day("a", ""), "2026-03-01", date(2026, 3, 1)),
        (contract.day("a", ""), "2026-03-01T10:00:00", None),
        (contract.day("a", ""), "2026-02-30", None),
        (contract.integer("a", ""), "3", 3),
        (contract.integer("a", ""), "3.7", None),
        (contract.number("a", ""), "3.7", 3.7),
        (contract.number("a", ""), "nan", None),
        (contract.number("a", ""), "1,5", None),
        (contract.money("a", ""), "12.34", Decimal("12.3400")),
        (contract.money("a", ""), "$12", None),
        (contract.flag("a", ""), "true", True),
        (contract.flag("a", ""), "maybe", None),
        (contract.Column(name="a", type="VARCHAR[]", meaning=""), '["north", "south"]', ["north", "south"]),
        (contract.text("a", ""), "0017", "0017"),
    ],
)
def test_text_is_typed_strictly(column: contract.Column, text: str, value: object) -> None:
    with open_memory() as con:
        sql = f"select {parsed(column, 'VARCHAR')} from (select $1::varchar as a)"
        assert con.execute(sql, [text]).fetchall() == [(value,)]
