"""Run one night from here and say how it ended."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from importlib import import_module
from typing import Any, Literal

from flows.console import ConsoleWatcher
from flows.environment import is_debugging, keep_prefect_in, silence_prefect_console
from flows.errors import in_words
from flows.settings import Settings
from flows.watch import watched_by
from warehouse.lock import WarehouseBusy, require_free

# The heaviest imports of a night: torch and Great Expectations.
OF_A_NIGHT = ("warehouse.validation.suite", "flows.nightly")
EXIT_CODES = {"released": 0, "unchanged": 0, "finished": 0, "failed": 1, "stopped": 3, "busy": 4, "unsent": 5}


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a night ended; `message` names the release, the gate with its remedy, or the error."""

    status: Literal["released", "unchanged", "finished", "failed", "stopped", "busy", "unsent"]
    message: str
    run_id: str | None
    as_of_date: date | None
    seconds: float

    @property
    def exit_code(self) -> int:
        """0 released or unchanged, 1 failed, 3 stopped by a gate, 4 another process is at work in the home, 5 released,
        but not shown elsewhere."""
        return EXIT_CODES[self.status]


def run_night(
    settings: Settings, as_of_date: date | None = None, *, force: bool = False, is_quiet: bool = False
) -> Outcome:
    """The whole night in this process, on the configured Prefect server or on a temporary one.

    OSError when the home cannot be written.
    """
    clock = time.perf_counter()
    try:
        require_free(settings.home)
    except WarehouseBusy as busy:
        seconds = round(time.perf_counter() - clock, 1)
        return Outcome(status="busy", message=str(busy), run_id=None, as_of_date=as_of_date, seconds=seconds)
    with ConsoleWatcher(is_quiet) as console, watched_by(console), prefect_at_hand(settings):
        from httpx import TransportError

        from flows.nightly import STOPPED, UNCHANGED, UNSENT, nightly

        try:
            state: Any = nightly(as_of_date=as_of_date, force=force, settings=settings, return_state=True)
            if isinstance(error := _error_of(state), TransportError):
                raise error
        except TransportError:
            from flows.lost_server import state_in_diary

            state = state_in_diary(console.night)
    if state.is_completed():
        status: Any = {UNCHANGED: "unchanged", UNSENT: "unsent"}.get(state.name, "released")
    elif state.name == STOPPED:
        status = "stopped"
    else:
        # Somebody may have been quicker since the home was found free.
        status = "busy" if isinstance(_error_of(state), WarehouseBusy) else "failed"
    return Outcome(
        status=status,
        message=_message(state, status),
        run_id=console.night.run_id if console.night else None,
        as_of_date=console.night.as_of_date if console.night else as_of_date,
        seconds=round(time.perf_counter() - clock, 1),
    )


@contextmanager
def prefect_at_hand(settings: Settings, modules: Sequence[str] = OF_A_NIGHT) -> Iterator[None]:
    """Within the block Prefect has a server that answers; blocks within blocks share it. The heavy `modules` that the
    block needs are imported while the server starts."""
    _end_in_order_on_sigterm()
    keep_prefect_in(settings.home)
    if not is_debugging():
        silence_prefect_console()
    from flows.prefect_server import temporary_server

    with temporary_server() as server_is_ready:
        for module in modules:
            import_module(module)
        server_is_ready()
        yield


def _end_in_order_on_sigterm() -> None:
    """Let `systemctl stop` or cron's time-out end a night like Ctrl-C does: with a word in the diary, and with the
    temporary Prefect server stopped instead of left behind. Only the main thread may listen to signals."""
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))


def _message(state: Any, status: str) -> str:
    """The state's words; for a failure those of the error itself, without Prefect's frame around them."""
    if status in ("failed", "busy"):
        error = _error_of(state)
        if error:
            return in_words(error)
    return state.message or state.name


def _error_of(state: Any) -> BaseException | None:
    """The error that a flow run failed with."""
    found = state.result(raise_on_failure=False)
    return found if isinstance(found, BaseException) else None
