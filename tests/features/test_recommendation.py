"""Which products are ranked for a user, and what is known about each."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import duckdb
import numpy as np
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, add_product, read

AS_OF = date(2024, 6, 1)
CUTOFF = date(2024, 5, 4)


@pytest.fixture(scope="module")
def three_users(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Everybody eats bread with butter but Anna, who buys bread alone and takes butter in the test window."""
    with empty_shop() as con:
        add_product(con, "bag", is_recommendable=False)
        add_order(con, "a1", "anna", "2024-02-20", ("bread", 1, 5.0), ("bag", 1, 0.5))
        add_order(con, "a2", "anna", "2024-04-20", ("bread", 3, 5.0))
        add_order(con, "a3", "anna", "2024-05-20", ("butter", 1, 2.0), ("bag", 1, 0.5))
        for number, user in enumerate(("bert", "carl", "dora")):
            add_order(con, f"{user}1", user, f"2024-03-1{number}", ("bread", 1, 5.0), ("butter", 1, 2.0))
            add_order(con, f"{user}2", user, f"2024-04-1{number}", ("butter", 1, 2.0), ("hat", 1, 20.0))
        build_features(con, make_night(AS_OF))
        yield con


def test_candidates_and_labels(three_users: duckdb.DuckDBPyConnection) -> None:
    query = """
        select product_id, source, is_new, label_bought_28d, sample_weight
        from samples.recommendation where user_id = 'anna' and fold = 'test' order by all
    """
    # The bag may not be recommended; butter is found by what goes with bread.
    assert read(three_users, query) == [
        ("bread", "history", False, 0, 1.0),
        ("butter", "similar_products", True, 1, 1.0),
        ("hat", "similar_products", True, 0, 1.0),
    ]
    scores = dict(
        read(
            three_users,
            "select product_id, score from features.similar_products where user_id = 'anna' and cutoff_date = $1",
            CUTOFF,
        )
    )
    assert scores["butter"] > scores["hat"]


def test_history_features(three_users: duckdb.DuckDBPyConnection) -> None:
    query = """
        select ctx_baskets, ctx_recency_days, ctx_gap_mean_days, ctx_units_per_basket, ctx_baskets_per_order_day,
            base_personal, ctx_decayed_30d, ctx_subcategory_baskets, ctx_subcategory_recency_days
        from samples.recommendation where user_id = 'anna' and product_id = $1 and fold = 'test'
    """
    decayed = [sum(np.exp(-age / tau) for age in (74, 14)) for tau in (120, 30)]
    ((*bread,),) = read(three_users, query, "bread")
    assert bread == pytest.approx([2, 14, 60.0, 2.0, 1.0, *decayed, 2, 14])
    # Never bought, but of the one category that bread is of, too.
    assert read(three_users, query, "butter") == [(0, None, None, None, 0.0, 0.0, 0.0, 2, 14)]


def test_popularity_fades_within_a_week(three_users: duckdb.DuckDBPyConnection) -> None:
    query = "select popularity_7d from features.popular_products where product_id = 'butter' and cutoff_date = $1"
    ages = [(CUTOFF - date(2024, month, 10 + number)).days for month in (3, 4) for number in range(3)]
    assert read(three_users, query, CUTOFF) == [(pytest.approx(sum(np.exp(-age / 7) for age in ages), rel=1e-6),)]


def test_training_keeps_positives_and_a_weighted_quarter_of_the_rest(built_shop: duckdb.DuckDBPyConnection) -> None:
    rows = read(
        built_shop,
        "select label_bought_28d, min(sample_weight), max(sample_weight), count(*), bool_and(hash(user_id, product_id,"
        " cutoff_date) % 4 = 0) from samples.recommendation where fold = 'train' group by all order by all",
    )
    assert [row[:3] for row in rows] == [(0, 4.0, 4.0), (1, 1.0, 1.0)]
    assert rows[0][4] and not rows[1][4]


def test_what_is_new_was_never_bought(built_shop: duckdb.DuckDBPyConnection) -> None:
    wrong = """
        from samples.recommendation as candidate
        where is_new = exists (
            from raw.order_lines join raw.orders using (order_id)
            where orders.user_id = candidate.user_id
                and order_lines.product_id = candidate.product_id
                and ordered_at < candidate.cutoff_date
        )
    """
    assert read(built_shop, wrong) == []
    assert read(built_shop, "select distinct is_new from samples.recommendation order by all") == [(False,), (True,)]


def test_a_candidate_is_there_once(built_shop: duckdb.DuckDBPyConnection) -> None:
    twice = "from samples.recommendation select 1 group by user_id, product_id, cutoff_date having count(*) > 1"
    assert read(built_shop, twice) == []


def test_every_generator_finds_its_share(small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """The product that sells least is outside the item-item model: only popularity finds it."""
    build_features(small_shop, make_night(candidates_per_user=40, similarity_products=10))
    query = """
        with lists as (
            select user_id, source, count(*) as products
            from samples.recommendation where fold = 'serve' group by user_id, source
        )
        select source, max(products) from lists group by source order by source
    """
    sources, longest = zip(*read(small_shop, query), strict=True)
    assert sources == ("history", "popular", "similar_products")
    assert all(length <= limit for length, limit in zip(longest, (20, 6, 14), strict=True))
