"""Lists: dense ranks, caps, exploration."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_models.decisions.action_queue import ACTIONS_PER_HEAD, rank_actions
from mtl_models.decisions.ranking import NOT_SHOWN, position_within, rank_lists

candidates = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 1), st.integers(-1, 2), st.integers(0, 4)), max_size=60)


def arrays(rows):
    """List, score, cap number and cap of the candidates, sorted as ranking expects them."""
    rows = sorted(rows, key=lambda row: (row[0], -row[1]))
    lists, scores, cap_numbers, _ = (
        (np.array(column) for column in zip(*rows, strict=True)) if rows else [np.empty(0) for _ in range(4)]
    )
    cap_sizes = np.array([1.0, 2.0, 3.0])
    cap_numbers = cap_numbers.astype(np.int64)
    caps = np.where(cap_numbers >= 0, cap_sizes[np.maximum(cap_numbers, 0)], np.nan)
    return lists.astype(np.int64), scores.astype(float), cap_numbers, caps


def one_list(count: int, **given):
    usual = {
        "may_show": np.ones(count, bool),
        "cap_number": np.full(count, -1),
        "cap": np.full(count, np.nan),
    }
    return rank_lists(np.zeros(count, np.int64), **(usual | given))


@given(candidates, st.integers(1, 8), st.sampled_from([0.0, 0.25, 0.5]), st.integers(0, 3))
@settings(max_examples=80, deadline=None)
def test_ranks_are_dense_short_and_capped(rows, length, exploration, seed):
    lists, _, cap_numbers, caps = arrays(rows)
    random = np.random.default_rng(seed)
    may_show = random.random(len(rows)) < 0.8
    rank, is_exploration = rank_lists(lists, may_show, cap_numbers, caps, length, exploration, random.random(len(rows)))
    for number in set(lists.tolist()):
        shown = np.sort(rank[(lists == number) & (rank != NOT_SHOWN)])
        assert shown.tolist() == list(range(1, len(shown) + 1))
        assert len(shown) <= length
        assert is_exploration[lists == number].sum() <= int(length * exploration)
        for cap_number in range(3):
            in_group = (lists == number) & (cap_numbers == cap_number) & (rank != NOT_SHOWN)
            assert in_group.sum() <= cap_number + 1
    assert not is_exploration[rank == NOT_SHOWN].any()
    assert (rank[~may_show] == NOT_SHOWN).all()


@given(candidates)
@settings(max_examples=50, deadline=None)
def test_without_rules_the_best_scores_are_shown(rows):
    lists, scores, _, caps = arrays(rows)
    rank, _ = rank_lists(lists, np.ones(len(rows), bool), np.full(len(rows), -1), caps, 3)
    for number in set(lists.tolist()):
        expected = sorted(scores[lists == number], reverse=True)[:3]
        shown = (lists == number) & (rank != NOT_SHOWN)
        assert scores[shown][np.argsort(rank[shown])].tolist() == expected


def test_a_capped_candidate_makes_room_for_the_next():
    rank, _ = one_list(4, cap_number=np.array([0, 0, -1, -1]), cap=np.array([1.0, 1.0, np.nan, np.nan]), list_length=3)
    assert rank.tolist() == [1, NOT_SHOWN, 2, 3]


def test_a_withheld_candidate_makes_room_for_the_next():
    rank, _ = one_list(4, may_show=np.array([False, True, False, True]), list_length=3)
    assert rank.tolist() == [NOT_SHOWN, 1, NOT_SHOWN, 2]


def test_exploration_takes_the_last_positions_by_lottery():
    rank, is_exploration = one_list(
        5, list_length=2, exploration_ratio=0.5, lottery=np.array([0.9, 0.5, 0.4, 0.1, 0.3])
    )
    assert rank.tolist() == [1, 0, 0, 2, 0]
    assert is_exploration.tolist() == [False, False, False, True, False]


def test_positions_break_ties_by_the_next_order():
    group, score, tie = np.array([1, 0, 1, 0]), np.array([2.0, 1.0, 2.0, 0.0]), np.array([1, 0, 0, 0])
    assert position_within(group, score, tie).tolist() == [2, 2, 1, 1]


def test_queue_puts_margin_before_the_same_revenue_and_limits_each_head():
    value = np.r_[np.full(60, 10.0), 9.0, 100.0]
    head = np.r_[np.zeros(60, np.int64), 1, 2]
    is_margin = np.r_[np.zeros(60, bool), True, False]
    rank = rank_actions(head, value, is_margin, 0.3, np.arange(62))
    assert rank[61] == 1
    assert rank[60] == 2
    assert (rank[:60] > 0).sum() == ACTIONS_PER_HEAD
    assert sorted(rank[rank > 0].tolist()) == list(range(1, ACTIONS_PER_HEAD + 3))


def test_lists_may_explore_to_different_degrees():
    """Two lists of ten candidates and five positions: the first explores none of them, the second two."""
    lists = np.repeat([0, 1], 10)
    lottery = np.tile(np.linspace(1, 0, 10), 2)
    rank, is_exploration = rank_lists(
        lists, np.ones(20, bool), np.full(20, -1), np.full(20, np.nan), 5, np.repeat([0.0, 0.4], 10), lottery
    )
    assert rank[:10].tolist() == [1, 2, 3, 4, 5, 0, 0, 0, 0, 0] and not is_exploration[:10].any()
    assert rank[10:].tolist() == [1, 2, 3, 0, 0, 0, 0, 0, 5, 4]
    assert is_exploration[10:].tolist() == [False] * 8 + [True] * 2
