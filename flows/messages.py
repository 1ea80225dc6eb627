"""What people are told about the end of a flow run: what happened, why, and what to do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from prefect.client.schemas.objects import FlowRun, State
from prefect.utilities.urls import url_for

from flows.errors import in_words
from flows.settings import Settings
from warehouse import morning
from warehouse.connect import open_read_only

# Names of final states, beside Prefect's own: a gate refused to go on; there was nothing new to say.
STOPPED, UNCHANGED = "Stopped", "Unchanged"
# Readers of the published file see the night, those of another place do not; what stands before the place and why.
UNSENT, BUT_NOT_SENT = "Unsent", "; not in "
POSTGRESQL, OBJECT_STORAGE = "PostgreSQL", "object storage"
_AFTER_FAILURE = "see the log of the run; fivefold doctor says what is missing."
_AFTER_CRASH = "run it again. If the machine ran out of memory, lower memory_limit and model.most_rows."
# The rest is in the report and in SQL; a message is read on a phone.
_MOST_FINDINGS = 10


@dataclass(frozen=True, kw_only=True)
class Message:
    """A short title and a body of plain text."""

    title: str
    body: str


def message_of(flow_name: str, run: FlowRun, state: State[Any], settings: Settings) -> Message | None:
    """The message about this end; None where there is nothing that a person need know."""
    if state.is_completed():
        return _attention(run, state, settings) if flow_name == "nightly" else None
    ended = "crashed" if state.is_crashed() else "was stopped by a gate" if state.name == STOPPED else "failed"
    why, _, remedy = _reason(state).partition("Remedy:")
    return _message(
        f"Fivefold: {run.name} {ended}",
        what=f"{run.name} {ended}{'; readers keep the release before' * (flow_name == 'nightly')}.",
        why=why,
        remedy=remedy or (_AFTER_CRASH if state.is_crashed() else _AFTER_FAILURE),
        run=run,
        settings=settings,
    )


def _attention(run: FlowRun, state: State[Any], settings: Settings) -> Message | None:
    """About a released night with heads held back or new alerts, and about one that is not shown elsewhere."""
    ended, *unsent = str(state.message).split(BUT_NOT_SENT)
    findings = [_unsent(place_and_why) for place_and_why in unsent]
    released = settings.home / "published.duckdb"
    run_id = ended.partition("released ")[2]
    if run_id and released.exists():
        with open_read_only(released) as con:
            findings += morning.attention(con, run_id)
    if not findings:
        return None
    shown = [f"- {found['subject']}: {found['finding']}" for found in findings[:_MOST_FINDINGS]]
    more = [f"- and {len(findings) - _MOST_FINDINGS} more"] * (len(findings) > _MOST_FINDINGS)
    remedies = dict.fromkeys(found["remedy"] for found in findings[:_MOST_FINDINGS])
    return _message(
        f"Fivefold: {run.name} is released, {len(findings)} to look at",
        what=f"{run.name}: {ended}.",
        why="\n".join(["", *shown, *more]),
        remedy="\n".join(["", *(f"- {remedy}" for remedy in remedies), "- fivefold status shows every head."]),
        run=run,
        settings=settings,
    )


def _unsent(place_and_why: str) -> dict[str, Any]:
    place, _, told = place_and_why.partition(": ")
    why, _, remedy = told.partition(" Remedy: ")
    return {"subject": place, "finding": why, "remedy": remedy}


def _message(title: str, *, what: str, why: str, remedy: str, run: FlowRun, settings: Settings) -> Message:
    parts = {
        "What": what,
        "Why": why.strip(" "),
        "What to do": remedy.strip(" "),
        "Home": settings.home.resolve(),
        "Run": url_for(run),
    }
    return Message(title=title, body="\n".join(f"{name}: {part}" for name, part in parts.items() if part))


def _reason(state: State[Any]) -> str:
    """Why it ended so; an error says it itself, without Prefect's frame around it."""
    error = getattr(state.data, "result", state.data)
    return in_words(error) if isinstance(error, BaseException) else state.message or state.name or ""
