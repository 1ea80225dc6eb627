"""`fivefold feeds`: what a night reads, and whether a folder of yours is ready for it."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from flows.commands.options import FAILED, WRONG_USE, Json, print_json, print_line, stop, with_remedy

_VERDICTS = {"critical": "FAIL", "warning": "WARN", "info": "INFO"}

app = typer.Typer(help="The feeds: what a night reads. Example: fivefold feeds list", no_args_is_help=True)


@app.command("list")
def list_feeds(json: Json = False) -> None:
    """Every feed with its grain; the essential ones are enough for a first night.

    Example: fivefold feeds list
    """
    from warehouse.contracts import FEEDS

    if json:
        print_json([{"feed": f.name, "is_essential": f.essential, "grain": f.grain, "key": f.key} for f in FEEDS])
        return
    for feed in FEEDS:
        print_line(f"{feed.name:<24}{'essential' if feed.essential else '':<11}{feed.grain}")


@app.command()
def describe(name: Annotated[str, typer.Argument(help="Feed, as in feeds list")], json: Json = False) -> None:
    """The contract of one feed: columns, types, checks.

    Example: fivefold feeds describe order_lines
    """
    from warehouse.contracts import feed
    from warehouse.contracts.dictionary import describe_table

    try:
        table = feed(name)
    except LookupError as error:
        raise stop(with_remedy(error, "fivefold feeds list"), WRONG_USE) from None
    if json:
        print_json(asdict(table))
    else:
        print_line(describe_table(table))


@app.command()
def check(
    path: Annotated[Path, typer.Argument(exists=True, file_okay=False, help="Folder with a file per feed")],
    json: Json = False,
) -> None:
    """Check a folder of feeds against the contracts, before a first night.

    Example: fivefold feeds check /data/shop
    """
    from warehouse.feeds_check import check_folder

    findings = check_folder(path)
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            place = f"{finding.feed} ({finding.file})" if finding.file else finding.feed or "heads"
            remedy = f" Remedy: {finding.remedy}" if finding.remedy else ""
            print_line(f"{_VERDICTS[finding.severity]}  {place}: {finding.message}{remedy}")
    if any(finding.severity == "critical" for finding in findings):
        raise typer.Exit(FAILED)
