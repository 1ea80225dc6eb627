"""What a night does with broken rows, broken tables and broken checks."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date

import duckdb
import pytest

from tasks.gates import GateStopped
from tasks.night import Night
from tasks.validate_feeds import validate_feeds
from tests.validation.conftest import FEEDS, ITEMS, KINDS, checks, load, night_at, quarantine, rows_of, start
from warehouse.contracts.table import Rule
from warehouse.validation.quarantine import last_row_number
from warehouse.validation.rerun import UNREADABLE

PLANTED = [
    {},
    {"units": 11.0},
    {"line no": 0, "units": 2.0},  # the same key as the first row
    {"state": "lost", "units": float("nan"), "price": 3},
    {"price": -1},  # only a warning: it stays
    {"kind": "unknown"},  # an orphan: it stays
]


def strict(ratio: float):
    """The feeds, with another limit on the rows that may leave."""
    return (KINDS, replace(ITEMS, max_quarantined_ratio=ratio, tolerated_rows=0))


def test_planted_rows_leave_whole_and_no_other(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    load(con, 1, PLANTED)
    before = rows_of(con)

    report = validate_feeds(con, night, FEEDS)

    left = {json.loads(key)["line no"]: rules for _, _, key, rules, _, _ in quarantine(con)}
    assert left == {"1": "units_in_range", "0": "key_unique", "3": "state_known,units_in_range"}
    assert report.quarantined_rows == 3
    assert {row[-1] for row in quarantine(con)} == {"input 1"}
    # Of two rows with one key the greater in content stays; the whole of the other is on record.
    assert len(rows_of(con)) + 3 == len(before)
    assert set(rows_of(con)) < set(before)
    assert [row[4] for row in rows_of(con) if row[1] == 0] == [2.0]
    found = checks(con)
    assert found["units_in_range"][:4] == (False, "critical", 6, 2)
    assert found["key_unique"][:4] == (False, "critical", 6, 2)
    assert found["price_in_range"][:4] == (False, "warning", 6, 1)
    assert found["kind_exists"][:4] == (False, "warning", 6, 1)
    assert found["is_fresh"][0] and found["is_fresh"][4] == "newest 2024-02-28, 2 days before"
    assert (report.failed_critical, report.failed_warning) == (3, 2)
    assert con.execute("select distinct validated_by from ops.loads").fetchall() == [("first",)]


@pytest.mark.parametrize("run_id", ["first", "second"])
def test_the_same_night_again_says_the_same(con: duckdb.DuckDBPyConnection, night: Night, run_id: str) -> None:
    load(con, 1, PLANTED)
    start(con, night)
    validate_feeds(con, night, FEEDS)
    rows, aside, found = rows_of(con), quarantine(con), checks(con)

    again = night_at(night.home, run_id)
    validate_feeds(con, again, FEEDS)

    assert (rows_of(con), quarantine(con), checks(con, run_id)) == (rows, aside, found)
    assert con.execute("select distinct run_id from ops.quarantined_rows").fetchall() == [(run_id,)]


def test_too_many_broken_rows_stop_the_night_and_nothing_moves(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    load(con, 1, PLANTED)
    before = rows_of(con)

    with pytest.raises(GateStopped) as stop:
        validate_feeds(con, night, strict(0.4))

    assert stop.value.gate == "data"
    assert "order items breaks few_rows_set_aside" in stop.value.reason
    assert "3 of 6 new rows" in stop.value.reason
    assert 'units_in_range 2 of 6 rows, such as {"order":"o1","line no":1}' in stop.value.reason
    assert "ops.quality_checks" in stop.value.remedy
    assert repr(rows_of(con)) == repr(before)  # NaN is not equal to itself
    assert quarantine(con) == []
    assert checks(con)["units_in_range"][3] == 2
    assert con.execute("select distinct validated_by from ops.loads").fetchall() == [(None,)]

    # What was stopped is judged again: by the next night too, which did not load it.
    with pytest.raises(GateStopped):
        validate_feeds(con, night_at(night.home, "next", date(2024, 3, 2)), strict(0.4))
    validate_feeds(con, night_at(night.home, "third", date(2024, 3, 3)), strict(0.5))
    assert len(quarantine(con)) == 3


def test_a_later_night_looks_at_new_rows_only(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    load(con, 1, [{}, {}, {"units": 11.0}])
    start(con, night)
    validate_feeds(con, night, FEEDS)
    load(con, 2, [{}, {"order": "o1", "line no": 0, "units": 5.0}, {"units": -1.0}])

    second = night_at(night.home, "second", date(2024, 3, 2))
    start(con, second)
    # Three new rows, of which one is broken and one has the key of an old row, which gives way to it.
    with pytest.raises(GateStopped, match="2 of 3 new rows"):
        validate_feeds(con, second, strict(0.5))
    validate_feeds(con, second, FEEDS)

    found = checks(con, "second")
    assert found["units_in_range"][2:4] == (3, 1)
    assert found["key_unique"][2:4] == (3, 2)
    assert found["kind_exists"][2:4] == (5, 0)
    assert [(row[0], row[1], row[4]) for row in rows_of(con)] == [("o1", 0, 5.0), ("o1", 1, 1.0), ("o2", 0, 1.0)]
    assert sorted(str(row[3]) for row in quarantine(con)) == ["key_unique", "units_in_range", "units_in_range"]

    third = night_at(night.home, "third", date(2024, 3, 3))
    con.execute("delete from raw.kinds where kind_id = 'a'")
    validate_feeds(con, third, FEEDS)
    found = checks(con, "third")
    assert found["units_in_range"][2:4] == (0, 0)
    assert found["kind_exists"][:4] == (False, "warning", 3, 3)  # old rows lost what they refer to


def test_rows_of_a_replaced_input_never_come_back(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    load(con, 1, [{}, {"units": 11.0}])
    validate_feeds(con, night, FEEDS)
    # What the ingest does when the input has changed: its own rows go, the corrected ones come.
    con.execute(f"delete from {ITEMS.qualified_name} where _load_id = 1")
    con.execute("update ops.loads set status = 'replaced', rows_superseded = 1 where load_id = 1")
    load(con, 2, [{"order": "o1"}, {"order": "o1", "units": 10.0}])

    report = validate_feeds(con, night, FEEDS)

    assert report.quarantined_rows == 0
    assert [(row[4], row[-1]) for row in rows_of(con)] == [(1.0, 2), (10.0, 2)]
    assert len(quarantine(con)) == 1  # still on record


def test_rows_that_could_not_be_read_stay_and_numbers_go_on(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    con.execute(
        "insert into ops.quarantined_rows (run_id, table_name, row_number, row_json, broken_rules, quarantined_at) "
        "values ('first', $1, 1, $2, $3, now())",
        [ITEMS.name, json.dumps({"units": "many"}), f"units{UNREADABLE}"],
    )
    load(con, 1, [{}, {"units": 11.0}, {"units": 12.0}])
    for _ in range(2):
        validate_feeds(con, night, FEEDS)
        assert [(row[1], row[3]) for row in quarantine(con)] == [
            (1, "units_parses"),
            (2, "units_in_range"),
            (3, "units_in_range"),
        ]
    assert last_row_number(con, "first", ITEMS.name) == 3
    assert last_row_number(con, "first", "kinds") == 0


def test_rows_beyond_the_limit_leave_and_are_counted(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    load(con, 1, [{}, {"units": 11.0}, {"units": 12.0}])
    report = validate_feeds(con, night_at(night.home, quarantine_row_limit=1, build_data_docs=False), FEEDS)
    assert report.quarantined_rows == checks(con)["few_rows_set_aside"][3] == 2
    assert len(quarantine(con)) == 1
    assert len(rows_of(con)) == 1
    assert report.data_docs == ""
    assert not night.data_docs_folder.exists()


def test_an_empty_feed_stops_the_night_only_if_it_is_essential(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    with pytest.raises(GateStopped, match=r"breaks enough_rows \(at least 1 rows\): not so, with 0 rows"):
        validate_feeds(con, night, FEEDS)
    assert checks(con)["units_in_range"][:4] == (True, "critical", 0, 0)

    report = validate_feeds(con, night, (KINDS, replace(ITEMS, essential=False)))
    assert report.failed == ()
    assert checks(con) == {"has_rows": (True, "info", 0, 0, "the feed has no rows")}


@pytest.mark.parametrize(
    "rule",
    [
        Rule(name="typo", kind="not_null", columns=("unit",), violation='"unit" is null', meaning="", severity="info"),
        Rule(name="typo", kind="sql", violation='"unit" > 1', meaning="", severity="info"),
        Rule(name="typo", kind="sql", violation="error('no such day') is null", meaning="", severity="warning"),
    ],
)
def test_a_check_that_raises_is_critical(con: duckdb.DuckDBPyConnection, night: Night, rule: Rule) -> None:
    load(con, 1, [{}, {"units": 11.0}])
    with pytest.raises(GateStopped, match="breaks typo"):
        validate_feeds(con, night, (KINDS, replace(ITEMS, rules=(*ITEMS.rules, rule))))
    found = checks(con)
    assert found["typo"][:4] == (False, "critical", 0, 0)
    assert found["typo"][4].startswith("could not be checked: ")
    assert found["units_in_range"][3] == 1  # one bad check does not hide the others
    assert len(rows_of(con)) == 2


@pytest.mark.parametrize(
    ("as_of", "is_passed", "detail"),
    [
        (date(2024, 2, 28), False, "no row before the as-of date"),
        (date(2024, 2, 29), True, "newest 2024-02-28, 1 days before"),
        (date(2024, 3, 6), True, "newest 2024-02-28, 7 days before"),
        (date(2024, 3, 7), False, "newest 2024-02-28, 8 days before"),
    ],
)
def test_freshness_counts_business_days_before_the_night(con, night, as_of, is_passed, detail) -> None:
    from warehouse.validation.freshness import check_freshness

    con.execute("set variable time_zone = 'America/New_York'")
    load(con, 1, [{"sold at": "2024-02-29 04:59:59"}])  # still the 28th in New York
    result = check_freshness(con, ITEMS, as_of)
    assert (result.is_passed, result.severity, result.detail) == (is_passed, "warning", detail)


def test_counts_that_differ_stop_the_night(con: duckdb.DuckDBPyConnection) -> None:
    from warehouse.validation.rules_sql import check_table
    from warehouse.validation.verdict import judge

    class Blind:
        """A checker that sees no broken row."""

        def check(self, scope):
            return [replace(result, is_passed=True, rows_broken=0) for result in check_table(con, scope.table)]

    load(con, 1, [{}, {"units": 11.0}])
    (objection,) = judge(con, Blind(), ITEMS).objections
    assert objection.rule == "units_in_range_counts_agree"
    assert "Great Expectations counts 0 rows, SQL 1" in str(objection.detail)
