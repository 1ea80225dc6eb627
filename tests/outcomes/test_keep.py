"""What is kept of a night, how much, and for how long."""

from __future__ import annotations

import re
from datetime import date, timedelta
from pathlib import Path

import duckdb
import pytest

from tasks.outcomes.keep import keep_night
from tasks.record_outcomes import record_outcomes
from tests.features.rows import AS_OF
from tests.outcomes.conftest import EARLIER, night_of, release

Connection = duckdb.DuckDBPyConnection
DOCS = (Path(__file__).parent.parent.parent / "docs" / "outcomes.md").read_text()


@pytest.fixture
def published(shop: Connection) -> Connection:
    """Profiles of tonight for every user of the built shop."""
    shop.execute("delete from predictions.user_profiles")
    shop.execute(
        """insert into predictions.user_profiles by name
        select 'tonight' as run_id, $1 as as_of_date, user_id, 0.5 as order_probability_28d, false as is_fallback
        from staging.users""",
        [AS_OF],
    )
    return shop


def kept(con: Connection) -> list[tuple[str, date, int]]:
    return con.execute(
        "select run_id, as_of_date, count(*) from kept.user_profiles group by all order by all"
    ).fetchall()


def test_a_night_is_kept_once_with_what_naive_said(published: Connection) -> None:
    for _ in range(2):
        record_outcomes(published, night_of())
    assert kept(published) == [("tonight", AS_OF, 24)]
    rows = "select user_id, base_buys_28d from kept.user_profiles where base_buys_28d is not null order by all"
    said = published.execute(rows).fetchall()
    serve = "select user_id, base_buys_28d from samples.profile where fold = 'serve' order by all"
    assert said == published.execute(serve).fetchall() and len(said) > 10


def test_of_many_users_the_same_few_are_kept(published: Connection) -> None:
    users = "select user_id from kept.user_profiles order by all"
    published.execute("set variable run_id = 'tonight'; set variable sample_rows = 5")
    keep_night(published, night_of())
    few = published.execute(users).fetchall()
    published.execute("set variable sample_rows = 9")
    keep_night(published, night_of())
    assert len(few) == 5 and set(few) < set(published.execute(users).fetchall())


@pytest.mark.parametrize(("days", "is_there"), [(104, True), (105, False)])
def test_a_night_is_forgotten_when_it_can_no_longer_be_scored(published: Connection, days: int, is_there: bool) -> None:
    long_ago = AS_OF - timedelta(days=days)
    published.execute(
        "insert into kept.user_profiles by name select 'long ago' as run_id, $1 as as_of_date", [long_ago]
    )
    record_outcomes(published, night_of())
    assert (("long ago", long_ago, 1) in kept(published)) == is_there


def test_tonight_is_scored_when_its_time_has_come(published: Connection) -> None:
    published.execute("update predictions.user_profiles set run_id = 'then', as_of_date = $1", [EARLIER])
    then = night_of(EARLIER, "then")
    release(published, "then", EARLIER)
    record_outcomes(published, then)
    assert record_outcomes(published, night_of()).scored_nights == 1
    scored = "select run_id, value from ops.outcomes where task = 'buys_28d' and metric = 'brier'"
    assert published.execute(scored).fetchall() == [("then", 0.25)]


@pytest.mark.parametrize("query", re.findall(r"```sql\n(.*?)```", DOCS, re.DOTALL), ids=range(7))
def test_the_questions_of_the_page_can_be_asked(shop: Connection, query: str) -> None:
    shop.execute(query)
