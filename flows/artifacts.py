"""What the Prefect page shows of a night when it has ended: a summary, the heads, the checks, the first actions."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

import duckdb
import httpx
from prefect.artifacts import create_markdown_artifact, create_table_artifact
from prefect.exceptions import PrefectException
from prefect.logging import get_run_logger

from tasks.night import Night
from warehouse import morning

# What a head measured beside what it had to beat, in the words of the page.
_HEADS = {
    "head": "head",
    "status": "status",
    "task": "task",
    "metric": "metric",
    "value": "value",
    "baseline_value": "naive",
    "previous_value": "night before",
    "champion_value": "champion",
    "sample_count": "rows",
    "reason": "reason",
}

# What Markdown, or HTML within it, would take for more than text.
_MARKUP = re.compile(r"([\\`*\[\]<>|~&])")


def publish_artifacts(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Put the summary, the heads, the broken checks and the first actions on the flow run's page."""
    with never_fatal():
        _publish_all(con, night)


def _publish_all(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    heads = [{shown: row[name] for name, shown in _HEADS.items()} for row in morning.heads(con, night.run_id)]
    publish_markdown("night-summary", summary(con, night), "The night in words")
    publish_table(
        "heads",
        heads,
        "Each head beside naive and the night before; the champion is measured where it loses",
    )
    publish_table("checks", morning.checks(con, night.run_id), "What did not hold")
    publish_table("action-queue", morning.queue(con, night.run_id), "What to do first")


def summary(con: duckdb.DuckDBPyConnection, night: Night) -> str:
    """The night as Markdown: how it ended, where to look, heads, broken checks, steps with their seconds."""
    counts = morning.check_counts(con, night.run_id)
    steps = morning.steps(con, night.run_id)
    # A head has a row per gate metric; once is enough here.
    heads = dict.fromkeys(
        f"| {row['head']} | {row['status']} | {_line(row['reason'])} |" for row in morning.heads(con, night.run_id)
    )
    broken = [
        f"| {row['verdict']} | {row['subject']} | {row['rule']} | {_line(row['detail'])} |"
        for row in morning.checks(con, night.run_id)[:20]
    ]
    took = [f"| {row['step']} | {row['status']} | {row['seconds']:.1f} | {_line(row['detail'])} |" for row in steps]
    return "\n".join(
        [
            f"# Night of {night.as_of_date}",
            f"Run `{night.run_id}` on `{night.source}`. {counts['passed']} of {counts['checked']} checks held, "
            f"{counts['quarantined_rows']:,} rows were set aside.",
            *_how_it_ended(steps),
            "\n## Where to look\n",
            *_links(night),
            *_table("Heads", "| head | status | reason |", list(heads)),
            *_table("Checks that did not hold", "| verdict | subject | rule | seen |", broken),
            *_table("Steps", "| step | status | seconds | what it did |", took),
        ]
    )


def publish_table(key: str, rows: list[morning.Row], description: str) -> None:
    """Put a table on the run's page, unless it is empty."""
    if rows:
        with never_fatal():
            create_table_artifact(key=key, table=_cells(rows), description=description)


def publish_markdown(key: str, markdown: str, description: str) -> None:
    """Put a text on the run's page."""
    with never_fatal():
        create_markdown_artifact(key=key, markdown=markdown, description=description)


@contextmanager
def never_fatal() -> Iterator[None]:
    """A night that is published stays so when the Prefect server is lost, and one that failed says why even if its
    diary cannot be read any more; the log says what the page lacks."""
    try:
        yield
    except (httpx.HTTPError, PrefectException, duckdb.Error) as error:
        get_run_logger().warning("an artifact is missing on this page: %s", error)


def _how_it_ended(steps: list[morning.Row]) -> list[str]:
    """The failed step with its gate and remedy, where there is one."""
    failed = [f"**It ended at {row['step']}.** {_line(row['detail'])}" for row in steps if row["status"] == "failed"]
    return ["", *failed] if failed else []


def _links(night: Night) -> list[str]:
    """Pages have an address; files of the machine that ran the night are named, for browsers follow no link to them."""
    files = {
        "the morning report, `fivefold report --open`": night.home / "reports" / f"{night.as_of_date}.html",
        "Great Expectations on the feeds": night.data_docs_folder / "index.html",
        'the tables, `fivefold sql "from predictions.action_queue_latest"`': night.published_link,
    }
    return [
        "- [what to do first](/artifacts/key/action-queue), night by night",
        "- [heads](/artifacts/key/heads) beside naive and champion, night by night",
        "- [checks that did not hold](/artifacts/key/checks), night by night",
        *(f"- {what}: `{file}`" for what, file in files.items() if file.exists()),
    ]


def _table(title: str, header: str, rows: list[str]) -> list[str]:
    if not rows:
        return []
    return ["", f"## {title}", "", header, "|---" * (header.count("|") - 1) + "|", *rows]


def _line(text: object) -> str:
    """The text as it is, in one cell of a Markdown table: a key of a feed may look like an image, a link or a tag."""
    return _MARKUP.sub(r"\\\1", str(text or "").replace("\n", " "))


def _cells(rows: list[morning.Row]) -> list[morning.Row]:
    """The rows as the page can show them: numbers to four decimals, days as text."""
    return [{name: _cell(value) for name, value in row.items()} for row in rows]


def _cell(value: object) -> object:
    return round(value, 4) if isinstance(value, float) else str(value) if isinstance(value, date) else value
