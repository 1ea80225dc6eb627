"""Lists are decided some users and some products at a time: the same lists, in memory that does not grow with users."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from mtl_models.decisions.allotment import allot
from tasks.decide_actions import decide_actions
from tasks.decisions import market
from tasks.decisions.market import PairMarket, parts_of_users
from tasks.night import Night
from tests.decisions.rules import STOCK, Warehouse, rows
from warehouse.connect import open_memory

PAIRS_OF_A_USER, PRODUCTS = 10, 50


def test_in_parts_the_same_lists_are_decided(shop: Warehouse, night: Night, monkeypatch: pytest.MonkeyPatch):
    shop.execute(STOCK)
    shop.execute(
        """insert into raw.inventory_policies by name
        select 'far' as rule_id, 'all' as scope, date '2017-01-01' as valid_from, 42.0 as lead_time_days"""
    )
    lists = "select * exclude (predicted_at) from predictions.product_recommendations order by all"
    decide_actions(shop, night)
    whole = rows(shop, lists)
    scarce = "select count(*) > 0 from predictions.product_recommendations where applied_rule = 'scarce'"
    assert rows(shop, scarce) == [(True,)]
    monkeypatch.setattr(market, "AT_ONCE", 100)
    decide_actions(shop, night)
    assert rows(shop, lists) == whole


def crowd(con: Warehouse, users: int) -> None:
    """So many users whose pairs are all contested."""
    con.execute(
        f"""create or replace temp table recommendation_pairs as
        select row_number() over (order by user_index, i) - 1 as pair_row, user_index
        from range({users}) as users (user_index), range({PAIRS_OF_A_USER}) as candidates (i);
        create or replace temp table contested_pairs as
        select
            pair_row,
            2 * user_index as part,
            pair_row * 7 % {PRODUCTS} as product_index,
            (1 + hash(pair_row) % 1000) / 2000 as worth,
            worth as need
        from recommendation_pairs
        order by pair_row"""
    )


def test_parts_hold_all_pairs_once_and_users_whole(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(market, "AT_ONCE", 777)
    with open_memory() as con:
        crowd(con, 1_000)
        parts = parts_of_users(con)
    assert len(parts) == 13
    assert [first for first, _ in parts] == [0, *(end for _, end in parts[:-1])]
    assert parts[-1][1] == 1_000 * PAIRS_OF_A_USER
    assert all(first % PAIRS_OF_A_USER == 0 and end - first <= 780 for first, end in parts)


def test_memory_does_not_grow_with_users(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(market, "AT_ONCE", 10_000)
    peaks = []
    with open_memory() as con:
        for users in (4_000, 16_000):
            crowd(con, users)
            pairs = PairMarket(con=con, parts=parts_of_users(con))
            tracemalloc.start()
            allotment = allot(pairs, np.full(PRODUCTS, 0.02 * users), 5)
            peaks.append(tracemalloc.get_traced_memory()[1] - allotment.is_allotted.nbytes)
            tracemalloc.stop()
            assert 0 < allotment.is_allotted.mean() < 1
    assert peaks[1] < 1.1 * peaks[0]
