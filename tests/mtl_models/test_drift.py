"""Drift is found where there is some, and only there."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_models.drift import Binned, bin_numbers, bin_words, domain, psi, psi_by_chance

ROWS = 4000


@pytest.fixture
def draw() -> np.random.Generator:
    return np.random.default_rng(3)


def halves(draw: np.random.Generator, rows: int = ROWS) -> np.ndarray:
    return draw.integers(0, 2, rows)


def test_rows_that_have_not_moved_have_no_psi(draw: np.random.Generator) -> None:
    values = draw.normal(size=ROWS)
    assert psi(bin_numbers(values, values)) == 0
    again = bin_numbers(values, draw.normal(size=ROWS))
    assert psi(again) < psi_by_chance(again) < 0.02


def test_psi_of_two_bins_is_counted_by_hand() -> None:
    binned = Binned(np.array([0] * 50 + [1] * 50), np.array([0] * 25 + [1] * 75), 2)
    then, now = np.array([50.5, 50.5]) / 101, np.array([25.5, 75.5]) / 101
    assert psi(binned) == pytest.approx(((now - then) * np.log(now / then)).sum())


@pytest.mark.parametrize("shift", [0.7, 1.5])
def test_a_shift_is_found_and_the_larger_is_larger(draw: np.random.Generator, shift: float) -> None:
    values = draw.normal(size=ROWS)
    moved = psi(bin_numbers(values, draw.normal(size=ROWS) + shift))
    assert moved > 0.25 and moved > psi(bin_numbers(values, draw.normal(size=ROWS) + shift / 2))


def test_missing_values_are_a_bin_of_their_own(draw: np.random.Generator) -> None:
    values = draw.normal(size=ROWS)
    holes = np.where(draw.random(ROWS) < 0.3, np.nan, values)
    assert psi(bin_numbers(values, holes)) > 0.25
    assert psi(bin_numbers(holes, holes)) == 0
    nothing = np.full(10, np.nan)
    assert psi(bin_numbers(nothing, nothing)) == 0


def test_a_column_of_few_values_has_few_bins() -> None:
    flags = np.array([0.0] * 80 + [1.0] * 20)
    binned = bin_numbers(flags, 1 - flags)
    assert binned.bins <= 3 and psi(binned) > 1


def test_weights_make_up_for_rows_that_were_left_out(draw: np.random.Generator) -> None:
    values = draw.normal(size=ROWS)
    kept = (values > 0) | (draw.random(ROWS) < 0.25)
    weights = np.where(values[kept] > 0, 1.0, 4.0)
    binned = bin_numbers(values[kept], values)
    assert psi(binned) > 0.1 and psi(binned, weights) < 0.01


def test_new_words_are_drift() -> None:
    then = np.array(["a"] * 60 + ["b"] * 40)
    assert psi(bin_words(then, then)) == 0
    assert psi(bin_words(then, np.array(["a"] * 60 + ["new"] * 40))) > 0.25
    assert psi(bin_words(then, np.array([""] * 100))) > 1
    assert psi(bin_words(np.array([""] * 5), np.array(["a"] * 5))) > 0.25


def test_a_classifier_cannot_tell_rows_that_have_not_moved(draw: np.random.Generator) -> None:
    columns = {f"x{i}": bin_numbers(draw.normal(size=ROWS), draw.normal(size=ROWS)) for i in range(5)}
    assert domain(columns, halves(draw), halves(draw)).auc == pytest.approx(0.5, abs=0.03)


def test_a_classifier_names_what_gives_tonight_away(draw: np.random.Generator) -> None:
    columns = {f"x{i}": bin_numbers(draw.normal(size=ROWS), draw.normal(size=ROWS)) for i in range(5)}
    columns["moved"] = bin_numbers(draw.normal(size=ROWS), draw.normal(size=ROWS) + 1)
    found = domain(columns, halves(draw), halves(draw))
    assert 0.7 < found.auc < 0.8 and next(iter(found.parts)) == "moved" and found.parts["moved"] > 0.8


def test_small_shifts_of_many_columns_add_up(draw: np.random.Generator) -> None:
    columns = {f"x{i}": bin_numbers(draw.normal(size=ROWS), draw.normal(size=ROWS) + 0.3) for i in range(10)}
    assert max(psi(column) for column in columns.values()) < 0.2
    assert domain(columns, halves(draw), halves(draw)).auc > 0.7
