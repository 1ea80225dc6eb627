"""Erlang C against published values."""

from __future__ import annotations

import numpy as np
import pytest

from mtl_models.decisions.staffing import required_agents


def agents(per_hour: float, minutes: float, level: float, within: float, occupancy: float = 1.0) -> int:
    values = (per_hour, minutes, level, within, occupancy)
    return int(required_agents(*(np.array([float(value)]) for value in values))[0])


def test_textbook_queue():
    # 200 calls an hour of 3 minutes, 80% within 20 seconds: 10 erlangs, 14 agents answer 88.8%, 13 only 79.6%.
    assert agents(200, 3, 0.80, 20 / 60) == 14
    assert agents(200, 3, 0.79, 20 / 60) == 13


def test_no_contacts_need_nobody_and_occupancy_caps_the_load():
    assert agents(0, 5, 0.8, 1) == 0
    assert agents(120, 5, 0.01, 1000) == 11
    assert agents(120, 5, 0.01, 1000, occupancy=0.5) == 20


@pytest.mark.parametrize("level", [0.5, 0.8, 0.95])
def test_more_service_never_needs_fewer(level):
    assert agents(60, 6, level + 0.04, 1) >= agents(60, 6, level, 1)


def test_an_absurd_queue_is_an_error():
    with pytest.raises(ValueError, match="more than 1000 agents"):
        agents(1e6, 60, 0.8, 1)
