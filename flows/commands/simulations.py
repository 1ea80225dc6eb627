"""`fivefold simulate`: what the decisions are worth, in a shop that lives by them."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from flows.commands.options import Home, Json, Quiet, print_json, print_line
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.simulate_compare import Comparison


class PolicyName(StrEnum):
    """Who decides the shop's next day."""

    JOINT = "joint"
    RULES = "rules"
    ORACLE = "oracle"
    HOLD = "hold"


def simulate(
    nights: Annotated[int, typer.Option(min=1, help="Nights after the shop's history, each followed by its day")],
    policy: Annotated[
        list[PolicyName] | None,
        typer.Option(
            help="joint: the real pipeline; rules: the shop's own habits; oracle: knows the truth; hold: changes "
            "nothing. May be repeated; all four without it",
            show_default=False,
        ),
    ] = None,
    size: Annotated[str, typer.Option(help="Size of the demo shop: tiny, small, medium, large")] = "small",
    seed: Annotated[int, typer.Option(min=0, help="Seed of all its luck")] = 1,
    home: Home = None,
    quiet: Quiet = False,
    json: Json = False,
) -> None:
    """Let a demo shop live by each policy's decisions, night after night, and compare; call it again to resume.

    Example: fivefold simulate --nights 14 --policy joint --policy rules --policy oracle
    """
    from flows.secrets import load_secrets
    from flows.settings import SettingsError, load_settings
    from flows.simulate import Simulation, run_simulation
    from warehouse.sources.demo_shop.spec import ShopSpec

    spec = ShopSpec.parse(f"{size}?seed={seed}")
    settings = load_settings(home=home)
    if load_secrets(settings).pseudonym_key:
        raise SettingsError(
            "the demo shop has no key and would not know its users by their pseudonyms. "
            "Remedy: unset FIVEFOLD_PSEUDONYM_KEY and pseudonym_key_block for a simulation."
        )
    simulation = Simulation(settings=settings, spec=spec, nights=nights)
    comparison = run_simulation(simulation, policy or list(PolicyName), is_quiet=quiet or json)
    if json:
        print_json(comparison.table.to_dicts())
    else:
        _tell(comparison)


def _tell(comparison: Comparison) -> None:
    """Figures down, policies across: that fits a terminal."""
    columns = comparison.table.to_dict(as_series=False)
    policies = columns.pop("policy")
    print_table("", ["", *policies], [(name.replace("_", " "), *values) for name, values in columns.items()])
    print_line("\nfiles: " + ", ".join(str(file) for file in comparison.files))
