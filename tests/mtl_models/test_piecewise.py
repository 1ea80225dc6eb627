"""Bins of numbers: nothing is lost, nothing jumps, and a bend is learned that a straight line misses."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from mtl_models.piecewise import MOST_BINS, ROWS_PER_BIN, PiecewiseLinear, find_bins

GENERATOR = np.random.default_rng(0)
COUNT = MOST_BINS * ROWS_PER_BIN
NUMBERS = np.stack([GENERATOR.gamma(1.0, 2.0, COUNT), GENERATOR.integers(0, 2, COUNT)], axis=1)


def test_a_column_of_two_values_has_nothing_between() -> None:
    bins = find_bins(NUMBERS)
    assert {column for column, _, _ in bins} == {0} and len(bins) == MOST_BINS
    assert find_bins(np.full((5, 2), np.nan)) == () and PiecewiseLinear(()).width == 0


def test_a_small_table_has_fewer_bins() -> None:
    assert len(find_bins(NUMBERS[: 3 * ROWS_PER_BIN])) == 3
    assert find_bins(NUMBERS[: 2 * ROWS_PER_BIN - 1]) == ()


def test_missing_numbers_do_not_move_the_bins() -> None:
    gaps = np.concatenate([NUMBERS[:, :1], np.full((COUNT, 1), np.nan)])
    assert find_bins(gaps) == find_bins(NUMBERS[:, :1])


@settings(deadline=None)
@given(st.lists(st.floats(-50, 50), min_size=1, max_size=20))
def test_bins_fill_one_after_the_other_and_add_up_to_the_number(numbers: list[float]) -> None:
    bins = find_bins(NUMBERS[:, :1])
    x = torch.tensor(numbers)[:, None]
    filled = PiecewiseLinear(bins)(x)
    assert ((filled >= 0) & (filled <= 1)).all()
    assert (filled[:, :-1] >= filled[:, 1:]).all(), "a bin begins to fill when the one before is full"
    width = torch.tensor([high - low for _, low, high in bins])
    lowest, highest = bins[0][1], bins[-1][2]
    torch.testing.assert_close(lowest + filled @ width, x[:, 0].clamp(lowest, highest), atol=1e-4, rtol=1e-4)


def test_a_linear_layer_on_bins_learns_a_bend() -> None:
    """|x - 2| of a skewed number: least squares on bins explains nearly all of it, on the plain number little."""
    x = torch.tensor(NUMBERS[:, :1], dtype=torch.float32)
    y = (x - 2).abs()
    left = {}
    for name, features in (("plain", x), ("bins", PiecewiseLinear(find_bins(NUMBERS[:, :1]))(x))):
        inputs = torch.cat([features, torch.ones(len(x), 1)], dim=1)
        guess = inputs @ torch.linalg.lstsq(inputs, y).solution
        left[name] = float((y - guess).var() / y.var())
    assert left["bins"] < 0.05 < 0.3 < left["plain"]
