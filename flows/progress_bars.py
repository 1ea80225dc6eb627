"""Bars that move on Prefect's pages while a night runs: one for the night, one each for training and scoring."""

from __future__ import annotations

import time
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.client.orchestration import get_client
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

from flows.artifacts import never_fatal
from tasks.night import Night

# Often enough for a person; each update is a request to the server.
_SECONDS_BETWEEN_UPDATES = 5.0
# The steps that people wait for: the key of each one's bar.
_OWN_BARS = {"train_model": "training", "predict_heads": "scoring"}


class Bar:
    """A progress artifact of the run, task or flow, that is at work when it is made."""

    def __init__(self, key: str, description: str) -> None:
        self._id: UUID | None = None
        self._moved = time.monotonic()
        with never_fatal():
            created = create_progress_artifact(0.0, key=key, description=description)
            self._id = created if isinstance(created, UUID) else None

    def move(self, done: float, *, is_final: bool = False) -> None:
        """Move it to the share `done` (0 to 1), at most every few seconds until the final one."""
        if self._id and (is_final or time.monotonic() - self._moved > _SECONDS_BETWEEN_UPDATES):
            bar, self._id = self._id, None
            with never_fatal():
                update_progress_artifact(bar, progress=round(100 * min(done, 1.0), 1))
                # A bar that could not be moved stays: with a server that is gone each try takes a minute.
                self._id = bar
            self._moved = time.monotonic()


class ProgressBars:
    """A watcher that moves the bars, gives the flow run the name of its day, and warns in its log."""

    def __init__(self) -> None:
        self._night: Night | None = None
        self._whole: Bar | None = None
        self._own: Bar | None = None
        self._number, self._of = 1, 1

    def began(self, night: Night) -> None:
        """Show an empty bar for the whole night, and its day in the name of the run, which did not know it before."""
        self._night, self._whole = night, Bar("night-progress", f"Night {night.run_id}")
        with never_fatal(), get_client(sync_client=True) as client:
            client.update_flow_run(UUID(flow_run.id), name=f"night of {night.as_of_date}")

    def noted(self, line: str) -> None:
        """A warning in the log of the run."""
        get_run_logger().warning(line)

    def started(self, step: str, number: int, of: int) -> None:
        """Remember which step counts now; training and scoring get a bar on their own page."""
        self._number, self._of = number, of
        key = _OWN_BARS.get(step)
        self._own = Bar(f"{key}-progress", f"{key} of night {self._night.run_id}") if key and self._night else None

    def said(self, message: str, done: float | None) -> None:
        """Move the bars."""
        if done is not None:
            self._move(done)

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """Move the bars to the end of the step."""
        self._move(1.0, is_final=True)
        self._own = None

    def _move(self, done: float, *, is_final: bool = False) -> None:
        if self._own:
            self._own.move(done, is_final=is_final)
        if self._whole:
            self._whole.move((self._number - 1 + done) / self._of, is_final=is_final)
