"""One rule, three counts: Great Expectations', the SQL's, and one made by hand in Python."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from decimal import Decimal

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.validation.conftest import ITEMS, TABLES
from warehouse.connect import open_memory
from warehouse.contracts import ALL_TABLES
from warehouse.contracts import FEEDS as SHOP_FEEDS
from warehouse.contracts.ddl import create_all
from warehouse.validation.rules_sql import check_table
from warehouse.validation.scope import new_rows
from warehouse.validation.verdict import judge

moments = st.none() | st.sampled_from([datetime(2024, 2, day) for day in (1, 2, 3)])
item_rows = st.lists(
    st.tuples(
        st.none() | st.sampled_from(["o1", "o2"]),
        st.none() | st.integers(1, 3),
        st.none() | st.sampled_from(["a", "b", "c", ""]),
        st.none() | st.sampled_from(["new", "it's old", "NEW", ":{x}"]),
        st.none() | st.sampled_from([-1.0, -0.0, 0.5, 10.0, 10.1, float("nan"), float("inf")]),
        st.none() | st.sampled_from([Decimal("-0.01"), Decimal("0"), Decimal("1.5")]),
        moments,
        moments,
    ),
    max_size=12,
)


def broken_by_hand(rows: list[tuple]) -> dict[str, list[bool]]:
    """Of each rule about rows, which rows break it."""
    keys = Counter(row[:2] for row in rows)
    return {
        "order_present": [order is None for order, *_ in rows],
        "line no_present": [row[1] is None for row in rows],
        "kind_exists": [row[2] is not None and row[2] not in ("a", "b") for row in rows],
        "state_known": [row[3] is not None and row[3] not in ("new", "it's old") for row in rows],
        "units_in_range": [row[4] is not None and not 0 <= row[4] <= 10 for row in rows],
        "price_in_range": [row[5] is not None and row[5] < 0 for row in rows],
        "key_unique": [keys[row[:2]] > 1 for row in rows],
        "sent at_not_before_sold at": [None not in row[6:] and row[7] < row[6] for row in rows],
        "price_is_round": [row[5] is not None and row[5] % 1 != 0 and row[3] != ":{x}" for row in rows],
    }


@pytest.fixture(scope="module")
def two_feeds() -> Iterator[duckdb.DuckDBPyConnection]:
    """One warehouse for all examples of the property."""
    with open_memory() as con:
        create_all(con, TABLES)
        # An entity with an empty key must not make every value pass.
        con.execute("insert into raw.kinds values ('a', null), ('b', null), (null, null)")
        yield con


@settings(max_examples=10, deadline=None)
@given(rows=item_rows)
def test_every_kind_of_rule_is_counted_alike_three_times(
    two_feeds: duckdb.DuckDBPyConnection, rows: list[tuple]
) -> None:
    from warehouse.validation.suite import open_suites

    two_feeds.execute(f"delete from {ITEMS.qualified_name}")
    if rows:
        two_feeds.executemany(f"insert into {ITEMS.qualified_name} values (?, ?, ?, ?, ?, ?, ?, ?, null)", rows)
    with open_suites(two_feeds, "night") as suites:
        verdict = judge(two_feeds, suites, ITEMS)
    in_sql = {result.rule: result.rows_broken for result in check_table(two_feeds, ITEMS)}
    by_hand = {rule: sum(broken) for rule, broken in broken_by_hand(rows).items()}
    by_hand |= {"enough_rows": int(not rows)}
    counted = {result.rule: result.rows_broken for result in verdict.results}
    leaving = counted.pop("few_rows_set_aside")
    assert counted == in_sql == by_hand
    assert leaving == rows_that_leave(rows)


def rows_that_leave(rows: list[tuple]) -> int:
    """Rows that break a critical rule, and of the rest those whose key a kept row has."""
    critical = ("order_present", "line no_present", "state_known", "units_in_range", "sent at_not_before_sold at")
    verdicts = broken_by_hand(rows)
    sound = [row for number, row in enumerate(rows) if not any(verdicts[rule][number] for rule in critical)]
    return len(rows) - len({row[:2] for row in sound})


def test_every_contract_can_be_checked() -> None:
    """A rule that names what is not there would stop the first night that meets it."""
    from warehouse.validation.suite import open_suites

    with open_memory() as con:
        create_all(con, ALL_TABLES)
        for table in ALL_TABLES:
            assert [result.rule for result in check_table(con, table)] == [rule.name for rule in table.all_rules]
        with open_suites(con, "night") as suites:
            for feed in SHOP_FEEDS:
                with new_rows(con, feed) as scope:
                    results = suites.check(scope)
                assert not any(result.is_unchecked for result in results), feed.name
                assert [result.rule for result in results] == [rule.name for rule in feed.all_rules]


def test_examples_name_the_row_but_never_a_person(con: duckdb.DuckDBPyConnection) -> None:
    con.executemany(
        f'insert into {ITEMS.qualified_name} ("order", "line no", units) values (?, ?, ?)',
        [("o1", 1, 5), ("o1", 2, 11), ("o1", 3, 12)],
    )
    (units,) = [result for result in check_table(con, ITEMS) if result.rule == "units_in_range"]
    assert units.detail == '2 of 3 rows, such as {"order":"o1","line no":2}, {"order":"o1","line no":3}'

    personal = tuple(replace(column, pii=column.name == "order") for column in ITEMS.columns)
    (units,) = [
        result
        for result in check_table(con, replace(ITEMS, columns=personal, key=("order",)))
        if result.rule == "units_in_range"
    ]
    assert units.detail == "2 of 3 rows"
