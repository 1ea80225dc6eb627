"""Presence as of each cut-off, in the warehouse."""

from __future__ import annotations

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import MakeNight, read


def test_every_user_has_a_presence_from_the_first_cutoff_on(built_shop: duckdb.DuckDBPyConnection) -> None:
    rows = read(
        built_shop,
        "select min(presence), max(presence), min(presence_order_probability_28d - presence_order_probability_7d),"
        " count(*) - count(presence_order_probability_28d), min(expected_spend_28d)"
        " from features.users"
        " where cutoff_date in (select cutoff_date from features.cutoffs where fold <> 'promotion')",
    )
    low, high, wider, unknown, spend = rows[0]
    assert 0 <= low < high <= 1.000001 and wider >= 0 and unknown == 0 and spend >= 0


def test_who_keeps_coming_is_likelier_there(built_shop: duckdb.DuckDBPyConnection) -> None:
    ((correlation,),) = read(built_shop, "select corr(presence, recency_days) from features.users")
    assert correlation < -0.2


@pytest.mark.parametrize(
    ("first", "last", "has_behaviour"),
    [("2024-01-01", "2024-10-13", True), ("2024-01-01", "2024-09-20", False), ("2024-06-01", "2024-10-13", False)],
    ids=["recorded", "fell silent", "began late"],
)
def test_behaviour_counts_where_it_is_recorded_well_enough(
    small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight, first: str, last: str, has_behaviour: bool
) -> None:
    small_shop.execute(
        """
        insert into raw.behaviour_events by name
        select user_id || day as event_id, 'view_item' as event_type, day + interval 12 hour as event_at, user_id
        from raw.users, generate_series(cast($1 as date), cast($2 as date), interval 1 day) as days (day)
        where hash(user_id, day) % 3 = 0 or day in ($1, $2)
        """,
        [first, last],
    )
    build_features(small_shop, make_night())
    assert read(small_shop, "select has_behaviour from presence_window") == [(has_behaviour,)]
    ((days, order_days),) = read(small_shop, "select count(*), count(*) filter (where has_order) from days_seen")
    assert (days > order_days) == has_behaviour


def test_a_shop_of_guests_has_nobody_to_follow(small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    small_shop.execute("update raw.orders set user_id = null")
    build_features(small_shop, make_night())
    assert read(small_shop, "select count(*) from presence") == [(0,)]
    assert read(small_shop, "select count(*) from features.users") == [(0,)]
