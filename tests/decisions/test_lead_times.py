"""How late suppliers are, from lines received and lines still open."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_models.decisions.lead_times import late_days_quantiles

LEVELS = (0.5, 0.9)


def lines(rng: np.random.Generator, count: int, scale: float) -> np.ndarray:
    return np.rint(scale * rng.weibull(1.2, count)).astype(np.int64)


def quantiles(late_days, is_received=None, supplier=None, suppliers: int = 1) -> np.ndarray:
    late_days = np.asarray(late_days)
    received = np.ones(len(late_days), bool) if is_received is None else np.asarray(is_received)
    numbers = np.zeros(len(late_days), np.int64) if supplier is None else np.asarray(supplier)
    return late_days_quantiles(numbers, late_days, received, suppliers, LEVELS)


def test_one_supplier_without_open_lines_has_its_own_quantiles() -> None:
    ((p50, p90),) = quantiles(np.arange(-50, 51))
    assert p50 == pytest.approx(0, abs=0.6) and p90 == pytest.approx(40, abs=0.6)


def test_always_the_same_day_is_that_day() -> None:
    assert quantiles([3] * 20)[0] == pytest.approx([3, 3.4])


def test_open_lines_are_not_taken_for_quick_ones() -> None:
    """Lines were ordered evenly over 30 days and are seen today: of the late ones, many have not come yet. The plain
    quantile of what has come is too early; the estimate is near the truth."""
    rng = np.random.default_rng(0)
    late = lines(rng, 8000, 8.0)
    age = rng.integers(0, 30, 8000)
    is_received = late < age
    ((_, p90),) = quantiles(np.where(is_received, late, age), is_received)
    truth = np.quantile(late, 0.9)
    assert np.quantile(late[is_received], 0.9) < truth - 2
    assert p90 == pytest.approx(truth, abs=1)


def test_few_lines_are_drawn_to_the_shop() -> None:
    """Supplier 0 is large and punctual, 1 has a hundred late lines, 2 two late lines, 3 none."""
    late = np.r_[np.zeros(400, np.int64), np.full(100, 6), np.full(2, 6)]
    supplier = np.r_[np.zeros(400, np.int64), np.ones(100, np.int64), np.full(2, 2)]
    p50 = quantiles(late, supplier=supplier, suppliers=4)[:, 0]
    assert p50[0] < 0.5 and p50[1] == pytest.approx(6, abs=0.6)
    assert p50[3] == pytest.approx(0, abs=0.6), "an unknown supplier is taken for a usual one"
    assert p50[3] <= p50[2] < p50[1]


@pytest.mark.parametrize("seed", range(3))
def test_nine_of_ten_come_by_the_p90(seed: int) -> None:
    """Forty suppliers, each with its own law; 30 lines to learn from, 200 more to see what happens next."""
    rng = np.random.default_rng(seed)
    scales = 0.5 + 6 * rng.random(40) ** 2
    supplier = np.repeat(np.arange(40), 30)
    past = np.concatenate([lines(rng, 30, scale) for scale in scales])
    age = rng.integers(0, 60, len(past))
    is_received = past < age
    p90 = quantiles(np.where(is_received, past, age), is_received, supplier, 40)[:, 1]
    next_lines = np.stack([lines(rng, 200, scale) for scale in scales])
    assert 0.87 <= (next_lines <= p90[:, None]).mean() <= 0.93


def test_nothing_received_is_said() -> None:
    with pytest.raises(ValueError, match="nothing to learn"):
        quantiles([3, 4], is_received=[False, False])
