"""The command `fivefold`. It imports almost nothing: each command imports what it needs when it is called."""

from __future__ import annotations

import gc
import sys
from typing import Annotated

import typer

from flows.commands import feeds, look, nights, planning, scenarios, simulations, tuning, upkeep
from flows.commands.options import BUSY, FAILED, WRONG_USE
from flows.environment import is_debugging, set_debugging
from flows.errors import in_words

app = typer.Typer(
    name="fivefold",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    epilog="Exit codes: 0 ok, 1 failed, 2 wrong use, 3 night stopped by a gate, 4 home is in use, 5 not elsewhere.",
)
for command in (
    nights.run, nights.backfill, scenarios.what_if, simulations.simulate, tuning.tune, look.sql, look.status,
    look.report, look.export, nights.rollback, planning.plan, upkeep.serve, upkeep.doctor,
):  # fmt: skip
    app.command()(command)
app.add_typer(feeds.app, name="feeds")


@app.callback()
def fivefold(
    debug: Annotated[bool, typer.Option(help="Show tracebacks and Prefect's log (FIVEFOLD_DEBUG=1)")] = False,
) -> None:
    """Five e-commerce decisions, one multi-task model, every night.

    Example: fivefold run && fivefold status
    """
    if debug:
        set_debugging()


def main() -> None:
    """The console command; an error is one message with its remedy, no traceback."""
    try:
        app()
    except Exception as error:
        if is_debugging():
            raise
        sys.stderr.write(f"error: {in_words(error)}\n")
        sys.exit({"SettingsError": WRONG_USE, "WarehouseBusy": BUSY}.get(type(error).__name__, FAILED))
    finally:
        # The process ends here; looking for garbage among the objects of torch and Prefect would take two seconds more.
        gc.freeze()


if __name__ == "__main__":
    main()
