"""A release that PostgreSQL cannot be given stands all the same."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prefect.states import Completed, Failed

from flows import nightly
from flows.messages import BUT_NOT_SENT, UNSENT, message_of
from flows.settings import load_settings
from flows.tonight import EXIT_CODES, Outcome
from warehouse.postgres.session import ServerLost


@pytest.mark.parametrize("said", ["released x", "nothing has changed since x"])
def test_a_night_that_is_not_sent_ends_well_and_says_so(
    said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings(home=tmp_path, publish={"postgres": "postgresql://ann@db/shop"})
    work: Any = SimpleNamespace(night=settings.night("x", date(2024, 7, 19), "UTC", "EUR"), left_undone="")
    away = Failed(data=ServerLost("it is away. Remedy: wake it."))
    monkeypatch.setattr(nightly, "send", lambda work, return_state: away)
    end = nightly._sent(work, Completed(message=said))
    assert end.is_completed() and end.name == UNSENT
    assert str(end.message).startswith(said) and "it is away. Remedy: wake it." in str(end.message)
    assert "it is away" in work.left_undone
    outcome = Outcome(status="unsent", message=str(end.message), run_id="x", as_of_date=None, seconds=1)
    assert outcome.exit_code == 5 and list(EXIT_CODES.values()).count(5) == 1


def test_a_night_that_nobody_asked_to_send_is_not(tmp_path: Path) -> None:
    night = load_settings(home=tmp_path).night("x", date(2024, 7, 19), "UTC", "EUR")
    work: Any = SimpleNamespace(night=night, left_undone="")
    end = Completed(message="released x")
    assert nightly._sent(work, end) is end


def test_people_are_told_what_postgresql_does_not_show(tmp_path: Path) -> None:
    run: Any = SimpleNamespace(name="night of 2024-07-19", id=None)
    unsent = f"{BUT_NOT_SENT}PostgreSQL: it is away. Remedy: wake it."
    state = Completed(name=UNSENT, message=f"nothing has changed since x{unsent}")
    told = message_of("nightly", run, state, load_settings(home=tmp_path))
    assert told is not None and "- PostgreSQL: it is away" in told.body and "wake it" in told.body
