"""`fivefold tune`: better settings for the model."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import FAILED, Home, Json, Quiet, Source, print_json, print_line, stop
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.tuning import Tuned


def tune(
    minutes: Annotated[
        float, typer.Option(min=0.01, help="How long to try settings; those in use are tried to the end in any case")
    ] = 20.0,
    trials: Annotated[
        int | None, typer.Option(min=1, help="Most trials of this run; as many as the minutes allow without it")
    ] = None,
    leave_one_out: Annotated[
        bool,
        typer.Option(
            "--leave-one-out",
            help="Then train without each task, to see who misses it: a trial each, beyond --minutes",
        ),
    ] = False,
    write: Annotated[bool, typer.Option("--write", help="Write the best settings into the settings file")] = False,
    source: Source = None,
    home: Home = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Try settings of the model on the samples of the last night and print the best; call it again to go on.

    Example: fivefold tune --minutes 60
    """
    from flows.settings import config_file, load_settings
    from flows.settings_file import NotWritten, change_file
    from flows.tuning_run import run_tune

    settings = load_settings(home=home, source=source)
    tuned = run_tune(settings, minutes, trials, leave_one_out, is_quiet=quiet or json)
    if json:
        print_json({**asdict(tuned), "gains": _gains(tuned), "settings": tuned.settings})
    else:
        _tell(tuned)
    if write and not tuned.best.is_in_use:
        file = config_file() or Path("fivefold.toml")
        try:
            change_file(file, tuned.settings)
        except NotWritten as error:
            raise stop(str(error), FAILED) from None
        if not json:
            print_line(f"\nwritten to {file}")


def _tell(tuned: Tuned) -> None:
    """The trials, the gains, and the best settings as a settings file has them."""
    from flows.settings_file import toml
    from tasks.leave_one_out import losses_without
    from tasks.tune_model import by_head

    heads = list(dict.fromkeys(head for record in tuned.records for head in by_head(record.losses)))
    rows = []
    for record in tuned.records:
        # Of a trial that was given up the losses are of fewer windows, which may be easier.
        losses = by_head(record.losses) if record.state == "completed" else {}
        state = "in use" if record.is_in_use and record.state == "completed" else record.state
        rows.append((record.number, state, record.value, *(losses.get(head) for head in heads), record.seconds))
    print_table(
        "Trials: losses relative to the baselines, 1 is as good", ["trial", "", "value", *heads, "seconds"], rows
    )
    if tuned.gains:
        gains = losses_without(tuned.gains)
        print_table("How each task's loss changes without another", list(gains[0]), [(*row.values(),) for row in gains])
    if not tuned.is_in_diary:
        print_line("a night is at work: ops.tuning_trials will have these trials after the next tune")
    best = tuned.best
    trials = "one trial" if len(tuned.records) == 1 else f"{len(tuned.records)} trials"
    others = f"best of {trials}, {tuned.resumed} of them of earlier runs"
    print_line(f"\n# trial {best.number}, value {best.value:.4f}: {others}, on samples as of {tuned.as_of_date}")
    if best.is_in_use:
        print_line("# these are the settings in use")
    print_line(toml(tuned.settings))


def _gains(tuned: Tuned) -> list[dict[str, str | float]]:
    return [{"task": task, "without": other, "gain": gain} for (task, other), gain in tuned.gains.items()]
