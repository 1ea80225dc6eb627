"""Run one tune from here."""

from __future__ import annotations

from flows.console import MovingLine
from flows.settings import Settings
from flows.tonight import prefect_at_hand
from flows.tuning import Tuned
from tasks.progress import listening


def run_tune(
    settings: Settings, minutes: float, trials: int | None, leave_one_out: bool, *, is_quiet: bool = False
) -> Tuned:
    """The flow `tune` in this process, on the configured Prefect server or on a temporary one; says on stderr what it
    tries: each trial leaves lines behind, its passes move one line where people watch and are lines elsewhere."""

    def say(message: str, done: float | None) -> None:
        if done is None:
            line.leave(message)
            line.begin(message)
        elif line.moves:
            line.move(message, done)
        else:
            line.leave(f"  {message}")

    with MovingLine(is_quiet) as line, listening(say), prefect_at_hand(settings, ("flows.tune",)):
        from flows.tune import tune

        try:
            return tune(minutes=minutes, trials=trials, leave_one_out=leave_one_out, settings=settings)
        except KeyboardInterrupt:
            line.leave("stopped: finished trials are kept, and the next tune begins with the one that was not")
            raise
