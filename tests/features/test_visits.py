"""What people look at without buying."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, insert, read

FIRST = date(2024, 1, 1)
AS_OF = FIRST + timedelta(weeks=24)
CUTOFF = AS_OF - timedelta(days=28)


def look(con: duckdb.DuckDBPyConnection, moment: datetime, event_type: str, product: str | None = None) -> None:
    insert(
        con,
        "behaviour_events",
        event_id=f"{moment}-{event_type}-{product}",
        event_type=event_type,
        event_at=moment,
        user_id="anna",
        product_id=product,
    )


@pytest.fixture(scope="module")
def shop(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Anna and Bert buy bread every week. Only Anna looks around: in Kolkata it is the last evening before the cut-off,
    and a minute later the cut-off itself."""
    with empty_shop() as con:
        for week in range(24):
            for user in ("anna", "bert"):
                add_order(con, f"{user}{week}", user, str(FIRST + timedelta(weeks=week)), ("bread", 1, 2.0))
        add_order(con, "cake", "bert", str(FIRST), ("cake", 1, 5.0))
        eve = datetime.combine(CUTOFF, datetime.min.time()) - timedelta(hours=5, minutes=31)
        look(con, eve, "view_item", "bread")
        look(con, eve, "view_item", "cake")
        look(con, eve, "add_to_cart", "bread")
        look(con, eve - timedelta(days=30), "search")
        look(con, eve + timedelta(minutes=1), "add_to_wishlist", "bread")
        build_features(con, make_night(AS_OF, "Asia/Kolkata", minimum_history_days=56))
        yield con


def test_visits_are_counted_by_days_of_the_shop(shop: duckdb.DuckDBPyConnection) -> None:
    columns = "user_id, visit_recency_days, visit_days_7d, visit_days_28d, visit_days_56d, views_28d, cart_adds_28d"
    query = f"select {columns} from features.users where cutoff_date = $1 order by all"
    assert read(shop, query, CUTOFF) == [("anna", 1, 1, 1, 2, 2, 1), ("bert", None, 0, 0, 0, 0, 0)]
    assert read(shop, query, AS_OF)[0][1] == 28, "the wish of the cut-off's day"


def test_interest_stands_beside_the_candidate(shop: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ctx_views_28d, ctx_cart_adds_28d, ctx_is_wished_28d, ctx_interest_recency_days
        from samples.recommendation
        where user_id = $1 and product_id = 'bread' and fold = 'test'
    """
    assert read(shop, query, "anna") == [(1, 1, False, 1)]
    assert read(shop, query, "bert") == [(0, 0, False, None)]


def test_a_shop_without_behaviour_knows_nothing_of_visits(
    con: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    for week in range(24):
        add_order(con, f"o{week}", "anna", str(FIRST + timedelta(weeks=week)), ("bread", 1, 2.0))
    build_features(con, make_night(AS_OF, minimum_history_days=56))
    assert read(con, "select distinct visit_recency_days, visit_days_7d, views_28d from features.users") == [
        (None, None, None)
    ]
