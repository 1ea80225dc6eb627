"""Run one tune from here."""

from __future__ import annotations

from flows.console import err
from flows.settings import Settings
from flows.tonight import prefect_at_hand
from flows.tuning import Tuned
from tasks.progress import listening


def run_tune(
    settings: Settings, minutes: float, trials: int | None, leave_one_out: bool, *, is_quiet: bool = False
) -> Tuned:
    """The flow `tune` in this process, on the configured Prefect server or on a temporary one; says on stderr what it
    tries."""

    def say(message: str, done: float | None) -> None:
        if not is_quiet and done is None:
            err.print(message, markup=False)

    with listening(say), prefect_at_hand(settings, ("flows.tune",)):
        from flows.tune import tune

        return tune(minutes=minutes, trials=trials, leave_one_out=leave_one_out, settings=settings)
