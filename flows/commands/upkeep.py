"""`fivefold serve` and `doctor`: keeping nights coming."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from flows.commands.options import FAILED, Home, Json, Source, print_json, print_line


def serve(
    source: Source = None,
    home: Home = None,
    pause: Annotated[bool, typer.Option("--pause", help="Register the schedules, but paused")] = False,
    nights: Annotated[
        int, typer.Option(min=0, help="Nights to run at once, of the last days; finished ones are skipped")
    ] = 0,
) -> None:
    """Prefect's pages, and every night at two: serve the deployments until stopped; a night that was due while nothing
    ran is made up for.

    Example: fivefold serve --home /var/lib/fivefold
    """
    from flows.environment import keep_prefect_in
    from flows.settings import load_settings

    settings = load_settings(home=home, source=source)
    keep_prefect_in(settings.home)
    from flows.serve import serve as serve_deployments

    serve_deployments(settings, paused=pause, nights=nights)


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
