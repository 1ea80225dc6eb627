"""`fivefold serve` and `doctor`: keeping nights coming."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.commands.options import FAILED, Home, Json, Source, print_json, print_line


def serve(
    source: Source = None,
    home: Home = None,
    pause: Annotated[bool, typer.Option("--pause", help="Register the schedule, but paused")] = False,
) -> None:
    """Register the nightly deployment with its schedule and run its nights; stays until it is stopped.

    Example: fivefold serve --home /var/lib/fivefold
    """
    from flows.environment import keep_prefect_in
    from flows.settings import load_settings

    settings = load_settings(home=home, source=source)
    keep_prefect_in(settings.home)
    from flows.serve import serve_nightly

    serve_nightly(settings, paused=pause)


def doctor(source: Source = None, home: Home = None, json: Json = False) -> None:
    """What is missing for a night, and the remedy; exit code 1 when something is.

    Example: fivefold doctor
    """
    from flows.environment import keep_prefect_in
    from flows.settings import load_settings

    settings = load_settings(home=home, source=source)
    keep_prefect_in(settings.home)
    from flows.doctor import examine

    findings = examine(settings)
    if json:
        print_json([asdict(finding) for finding in findings])
    else:
        for finding in findings:
            print_line(str(finding))
    if any(finding.verdict == "FAIL" for finding in findings):
        raise typer.Exit(FAILED)
