"""What people decided is checked like any feed: rows that say too little are set aside, the others stay."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tasks.night import Night
from tasks.validate_feeds import validate_feeds
from tests.validation.conftest import load, quarantine, start
from warehouse.connect import open_memory
from warehouse.contracts import feed
from warehouse.migrate import migrate

DECISIONS = feed("decisions")
SOUND = {
    "head": "pricing", "product_id": "p", "action": "overridden", "value": 2.5,
    "decided_at": "2024-02-27 10:00", "valid_until": "2024-03-10",
}  # fmt: skip
SPOILT = {
    "end_is_said": {"valid_until": None},
    "override_has_a_value": {"value": None},
    "override_of_a_number": {"head": "recommendation"},
    "subject_is_named": {"product_id": None},
    "action_known": {"action": "ignored"},
}


@pytest.fixture
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_memory() as con:
        migrate(con)
        con.execute("insert into raw.products (product_id) values ('p')")
        yield con


def test_great_expectations_and_sql_set_the_same_rows_aside(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    sound = [SOUND | {"decision_id": f"d{number}"} for number in range(600)]
    load(con, 1, [*sound, *(SOUND | wrong | {"decision_id": rule} for rule, wrong in SPOILT.items())], DECISIONS)
    start(con, night)
    report = validate_feeds(con, night, [DECISIONS])
    assert {rules: key for _, _, key, rules, _, _ in quarantine(con)} == {
        rule: f'{{"decision_id":"{rule}"}}' for rule in SPOILT
    }
    assert report.quarantined_rows == len(SPOILT)
    assert con.execute("select count(*) from raw.decisions").fetchall() == [(600,)]
