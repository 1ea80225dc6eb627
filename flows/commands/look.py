"""`fivefold sql`, `status`, `report` and `export`: what only reads."""

from __future__ import annotations

import csv
import io
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from flows.commands.options import (
    DAY_FORMATS,
    FAILED,
    WRONG_USE,
    Home,
    Json,
    print_json,
    print_line,
    stop,
    with_remedy,
)
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.look import Morning

Format = Literal["table", "csv", "json"]
Kind = Literal["parquet", "csv"]


def sql(
    query: Annotated[str, typer.Argument(metavar="SELECT", help="Any query over schemas predictions and ops")],
    format: Annotated[Format, typer.Option(help="How to print the rows")] = "table",
    home: Home = None,
) -> None:
    """Query what is published, read-only, also while a night runs.

    Example: fivefold sql "select user_id, expected_revenue_28d from predictions.user_profiles_latest limit 5"
    """
    import duckdb

    from flows.look import NothingPublished, query_published
    from flows.settings import load_settings

    try:
        names, rows = query_published(load_settings(home=home).home, query)
    except NothingPublished as error:
        raise stop(str(error), FAILED) from None
    except duckdb.Error as error:
        raise stop(f'{error} Remedy: correct the query; "show all tables" lists what there is.', WRONG_USE) from None
    if format == "json":
        print_json([dict(zip(names, row, strict=True)) for row in rows])
    elif format == "csv":
        print_line(_csv(names, rows).rstrip("\n"))
    else:
        print_table("", names, rows)


def status(home: Home = None, json: Json = False) -> None:
    """The last nights, the heads of the current release beside naive, gates, alerts and freshness.

    Example: fivefold status --json
    """
    from dataclasses import asdict

    from flows.look import look
    from flows.settings import load_settings

    morning = look(load_settings(home=home).home)
    if json:
        print_json(asdict(morning))
    else:
        _print_morning(morning)


def report(
    as_of: Annotated[
        datetime | None,
        typer.Option(help="Day of the night; the one that readers see", formats=DAY_FORMATS, show_default=False),
    ] = None,
    open_it: Annotated[bool, typer.Option("--open", help="Show it in the browser")] = False,
    home: Home = None,
    json: Json = False,
) -> None:
    """Write the morning report of a released night anew: one page, reports/<day>.html of the home, that opens offline.

    Example: fivefold report --open
    """
    import webbrowser
    from dataclasses import asdict

    from flows.report import rebuild_report
    from flows.settings import load_settings

    try:
        page = rebuild_report(load_settings(home=home).home, as_of and as_of.date())
    except LookupError as error:
        raise stop(with_remedy(error, 'fivefold sql "from ops.releases" lists the nights')) from None
    if json:
        print_json(asdict(page))
    else:
        print_line(str(page))
    if open_it and not webbrowser.open(page.file.resolve().as_uri()):
        raise stop(f"no browser is found here. Remedy: open {page.file.resolve()} in one.")


def _print_morning(morning: Morning) -> None:
    if morning.writer:
        print_line(f"at work now: {morning.writer}; shown is what was published before")
    if morning.release:
        release = morning.release
        print_line(f"readers see {release['run_id']}, as of {release['as_of_date']} ({release['kind']})")
    else:
        print_line("nothing is published yet. Remedy: fivefold run")
    _print_rows("Nights", [night | {"stopped_by": _first_line(night["stopped_by"])} for night in morning.nights])
    _print_rows("Heads", [_head(row) for row in morning.heads])
    if morning.counts:
        counts = morning.counts
        print_line(
            f"\n{counts['passed']} of {counts['checked']} checks held, {counts['quarantined_rows']:,} rows set aside"
        )
    _print_rows("Checks that did not hold", morning.checks)
    _print_rows("Alerts about outcomes and drift", morning.alerts)
    _print_rows("Feeds", morning.feeds)


def _head(row: dict[str, Any]) -> dict[str, Any]:
    """A head in few columns: what it measured beside naive, else why it did not."""
    return {
        "head": row["head"],
        "status": row["status"],
        "measure": f"{row['task']} {row['metric']}" if row["metric"] else "",
        "value": row["value"],
        "naive": row["baseline_value"],
        "rows": row["sample_count"],
        "because": row["baseline"] if row["metric"] and row["status"] == "released" else row["reason"],
    }


def _first_line(text: str | None) -> str:
    return (text or "").partition("\n")[0]


def _print_rows(title: str, rows: list[dict[str, Any]]) -> None:
    if rows:
        print_table(title, list(rows[0]), [tuple(row.values()) for row in rows])


def _csv(names: list[str], rows: list[tuple[Any, ...]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(names)
    writer.writerows(rows)
    return text.getvalue()


def export(
    folder: Annotated[Path, typer.Argument(file_okay=False, help="Folder to write to; the night gets one of its own")],
    run: Annotated[
        str | None,
        typer.Option(help="Night to export; the one that readers see", metavar="RUN_ID", show_default=False),
    ] = None,
    format: Annotated[Kind, typer.Option(help="Kind of file; CSV is safe to open in a spreadsheet")] = "parquet",
    home: Home = None,
    json: Json = False,
) -> None:
    """Write every published table of a release as a file.

    Example: fivefold export /data/exports --format csv
    """
    from flows.look import NothingPublished, published_file
    from flows.settings import load_settings
    from warehouse.export import export_release

    try:
        file = published_file(load_settings(home=home).home, run)
    except NothingPublished as error:
        raise stop(str(error), FAILED) from None
    rows = export_release(file, folder, format)
    if json:
        print_json({"folder": str(folder / file.stem), "rows": rows})
    else:
        print_line(f"{sum(rows.values()):,} rows of {len(rows)} tables in {folder / file.stem}")
