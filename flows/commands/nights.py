"""`fivefold run`, `backfill` and `rollback`: what changes the warehouse."""

from __future__ import annotations

import re
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import (
    DAY_FORMATS,
    UNSENT,
    WRONG_USE,
    Home,
    Json,
    Quiet,
    Source,
    print_json,
    print_line,
    stop,
    with_remedy,
)
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.tonight import Outcome

_DAY = {"formats": DAY_FORMATS, "show_default": False}


def run(
    as_of: Annotated[datetime | None, typer.Option(help="Know what happened before this day", **_DAY)] = None,
    source: Source = None,
    home: Home = None,
    force: Annotated[bool, typer.Option("--force", help="Run although this very night is already released")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run one night: feeds in, decisions out.

    Example: fivefold run --as-of 2018-01-01 --source files:/data/shop
    """
    from flows.settings import load_settings
    from flows.tonight import run_night

    settings = load_settings(home=home, source=source)
    outcome = run_night(settings, as_of and as_of.date(), force=force, is_quiet=quiet or json)
    _tell(outcome, quiet, json)
    raise typer.Exit(outcome.exit_code)


def backfill(
    first: Annotated[datetime, typer.Argument(metavar="FROM", help="First day", formats=DAY_FORMATS)],
    last: Annotated[datetime, typer.Argument(metavar="TO", help="Last day", formats=DAY_FORMATS)],
    every: Annotated[str, typer.Option(help="Days from one night to the next, such as 7d")] = "1d",
    source: Source = None,
    home: Home = None,
    force: Annotated[bool, typer.Option("--force", help="Run finished nights again")] = False,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Run one night for each day FROM..TO, oldest first; finished nights are skipped, so call it again to resume.

    Example: fivefold backfill 2017-12-04 2018-01-01 --every 7d
    """
    from flows.backfill import in_words, run_backfill
    from flows.settings import load_settings

    settings = load_settings(home=home, source=source)
    every_days = _days(every)
    try:
        outcomes = run_backfill(settings, first.date(), last.date(), every_days, force=force, is_quiet=quiet or json)
    except ValueError as error:
        raise stop(str(error), WRONG_USE) from None
    if json:
        print_json([asdict(outcome) for outcome in outcomes])
    elif not quiet:
        _print_nights(outcomes)
        print_line(in_words(outcomes))
    if outcomes[-1].exit_code:
        stop(f"night of {outcomes[-1].as_of_date}: {outcomes[-1].message}")
    raise typer.Exit(outcomes[-1].exit_code)


def rollback(
    reason: Annotated[str, typer.Option(help="Why; it is kept with the release")],
    to: Annotated[
        str | None, typer.Option(help="Night to go back to; the one before the current", metavar="RUN_ID")
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Let readers see an earlier night again, at once.

    Example: fivefold rollback --reason "prices of the bakery were wrong"
    """
    from flows.elsewhere import Unsent, show_elsewhere
    from flows.rollback import run_rollback
    from flows.settings import load_settings

    settings = load_settings(home=home)
    try:
        release = run_rollback(settings.home, to, reason)
        show_elsewhere(settings)
    except LookupError as error:
        raise stop(with_remedy(error, 'fivefold sql "from ops.releases" lists the nights')) from None
    except Unsent as error:
        raise stop(f"night {release.run_id}: {error}", UNSENT) from None
    if json:
        print_json(asdict(release))
    else:
        print_line(f"readers see night {release.run_id}, as of {release.as_of_date}, from now on")


def _tell(outcome: Outcome, quiet: bool, json: bool) -> None:
    if json:
        print_json(asdict(outcome))
    elif outcome.exit_code:
        stop(outcome.message)
    elif not quiet:
        print_line(f"{outcome.message} ({outcome.seconds:.0f} s)")
        print_line('next: fivefold status, or fivefold sql "from predictions.action_queue_latest limit 10"')


def _print_nights(outcomes: list[Outcome]) -> None:
    print_table(
        "",
        ["night", "ended", "run", "seconds"],
        [(str(night.as_of_date), night.status, night.run_id, night.seconds) for night in outcomes],
    )


def _days(every: str) -> int:
    found = re.fullmatch(r"([1-9]\d*)d?", every)
    if not found:
        raise stop(f"--every {every} is no number of days. Remedy: write it as 7d.", WRONG_USE)
    return int(found[1])
