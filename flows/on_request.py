"""What people ask for on the Prefect page: nights of earlier days, and readers back to an earlier release."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import flow
from prefect.states import Completed, Failed, State
from pydantic import Field

from flows.artifacts import publish_table
from flows.backfill import in_words, run_backfill
from flows.elsewhere import show_elsewhere
from flows.flow_runs import on_record
from flows.nightly import SETTINGS, STOPPED
from flows.notify import tell
from flows.rollback import run_rollback
from flows.settings import Settings, load_settings
from flows.tonight import Outcome
from warehouse.release import Release

# The fields of the run forms: Prefect shows the description of a `Field` that is the default of a parameter.
FIRST: Any = Field(..., description="First day: the as-of date of the first night")
LAST: Any = Field(..., description="Last day, included")
EVERY_DAYS: Any = Field(1, ge=1, description="Days from one night to the next")
FORCE: Any = Field(False, description="Run finished nights again")
REASON: Any = Field(..., min_length=1, description="Why; it is kept with the release")
TO_RUN_ID: Any = Field(None, description="Night to go back to; empty means the one released before the current")


@flow(name="backfill", flow_run_name="backfill {first} to {last}", persist_result=False, on_crashed=[tell])
def backfill(
    first: date = FIRST,
    last: date = LAST,
    every_days: int = EVERY_DAYS,
    force: bool = FORCE,
    settings: Settings = SETTINGS,
) -> State[Any]:
    """Run a night for each day from first to last, oldest first; finished nights are skipped.

    Each night is a run of its own below this one. The first that does not end well ends the backfill, which then
    fails with what that night said; started again, it goes on there.
    """
    chosen = load_settings(**settings.model_dump(exclude_unset=True))
    with on_record(chosen.home):
        outcomes = run_backfill(chosen, first, last, every_days, force=force, is_quiet=True)
    publish_table("backfill-nights", [_row(outcome) for outcome in outcomes], "The nights of this backfill")
    if outcomes and outcomes[-1].exit_code:
        failed = outcomes[-1]
        name = STOPPED if failed.status == "stopped" else "Failed"
        return Failed(name=name, message=f"night of {failed.as_of_date}: {failed.message}")
    return Completed(message=in_words(outcomes))


@flow(name="rollback", flow_run_name="rollback: {reason}", persist_result=False, on_failure=[tell], on_crashed=[tell])
def rollback(reason: str = REASON, to_run_id: str | None = TO_RUN_ID, settings: Settings = SETTINGS) -> State[Release]:
    """Let readers see an earlier night again, at once; no table is made anew."""
    chosen = load_settings(**settings.model_dump(exclude_unset=True))
    release = run_rollback(chosen.home, to_run_id, reason)
    show_elsewhere(chosen)
    return Completed(message=f"readers see night {release.run_id}, as of {release.as_of_date}", data=release)


def _row(outcome: Outcome) -> dict[str, object]:
    return {
        "night": str(outcome.as_of_date),
        "ended": outcome.status,
        "seconds": outcome.seconds,
        "message": outcome.message,
    }
