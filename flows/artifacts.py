"""What the Prefect page shows of a night: progress while it runs, then a summary, the heads and the checks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

import duckdb
import httpx
from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger

from tasks.night import Night
from warehouse import morning

# Often enough for a person; each update is a request to the server.
_SECONDS_BETWEEN_UPDATES = 5.0


class ProgressArtifact:
    """A watcher that moves a progress bar on the flow run's page."""

    def __init__(self) -> None:
        self._id: UUID | None = None
        self._number, self._of, self._updated = 1, 1, 0.0

    def began(self, night: Night) -> None:
        """Show an empty bar; it belongs to the flow run, for steps have pages of their own."""
        with _never_fatal():
            created = create_progress_artifact(0.0, key="night-progress", description=f"Night {night.run_id}")
            self._id = created if isinstance(created, UUID) else None

    def started(self, step: str, number: int, of: int) -> None:
        """Remember which step counts now."""
        self._number, self._of = number, of

    def said(self, message: str, done: float | None) -> None:
        """Move the bar, at most every few seconds."""
        if done is not None and time.monotonic() - self._updated > _SECONDS_BETWEEN_UPDATES:
            self._move(self._number - 1 + done)

    def ended(self, step: str, seconds: float, detail: str) -> None:
        """Move the bar to the end of the step."""
        self._move(self._number)

    def _move(self, steps: float) -> None:
        if self._id is not None:
            with _never_fatal():
                update_progress_artifact(self._id, progress=round(100 * min(steps / self._of, 1.0), 1))
            self._updated = time.monotonic()


def publish_artifacts(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Put the summary, the table of heads and the table of broken checks on the flow run's page."""
    heads, checks = morning.heads(con, night.run_id), morning.checks(con, night.run_id)
    with _never_fatal():
        create_markdown_artifact(key="night-summary", markdown=summary(con, night), description="The night in words")
        if heads:
            create_table_artifact(key="heads", table=_cells(heads), description="Each head beside its naive baseline")
        if checks:
            create_table_artifact(key="checks", table=_cells(checks), description="What did not hold")


def summary(con: duckdb.DuckDBPyConnection, night: Night) -> str:
    """The night as Markdown: count of checks, heads, broken checks, steps with their seconds."""
    counts = morning.check_counts(con, night.run_id)
    # A head has a row per gate metric; once is enough here.
    heads = dict.fromkeys(
        f"| {row['head']} | {row['status']} | {_line(row['reason'])} |" for row in morning.heads(con, night.run_id)
    )
    broken = [
        f"| {row['verdict']} | {row['subject']} | {row['rule']} | {_line(row['detail'])} |"
        for row in morning.checks(con, night.run_id)[:20]
    ]
    steps = [
        f"| {row['step']} | {row['status']} | {row['seconds']:.1f} | {_line(row['detail'])} |"
        for row in morning.steps(con, night.run_id)
    ]
    return "\n".join(
        [
            f"# Night of {night.as_of_date}",
            f"Run `{night.run_id}` on `{night.source}`. {counts['passed']} of {counts['checked']} checks held, "
            f"{counts['quarantined_rows']:,} rows were set aside.",
            *_table("Heads", "| head | status | reason |", list(heads)),
            *_table("Checks that did not hold", "| verdict | subject | rule | seen |", broken),
            *_table("Steps", "| step | status | seconds | what it did |", steps),
        ]
    )


def publish_table(key: str, rows: list[morning.Row], description: str) -> None:
    """Put a table on the run's page, unless it is empty."""
    if rows:
        with _never_fatal():
            create_table_artifact(key=key, table=_cells(rows), description=description)


def publish_markdown(key: str, markdown: str, description: str) -> None:
    """Put a text on the run's page."""
    with _never_fatal():
        create_markdown_artifact(key=key, markdown=markdown, description=description)


@contextmanager
def _never_fatal() -> Iterator[None]:
    """A night that is published stays so when the Prefect server is lost; the log says what its page lacks."""
    try:
        yield
    except (httpx.HTTPError, PrefectException) as error:
        get_run_logger().warning("an artifact is missing on this page: %s", error)


def _table(title: str, header: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    return ["", f"## {title}", "", header, "|---" * (header.count("|") - 1) + "|", *rows]


def _line(text: object) -> str:
    """The text in one cell of a Markdown table."""
    return str(text or "").replace("|", "\\|").replace("\n", " ")


def _cells(rows: list[morning.Row]) -> list[morning.Row]:
    return [{name: round(v, 4) if isinstance(v, float) else v for name, v in row.items()} for row in rows]
