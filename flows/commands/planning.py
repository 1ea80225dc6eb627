"""`fivefold plan`: what a shop of some size would take."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.options import WRONG_USE, Home, Json, print_json, print_line, stop
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.plan import Plan


def _count(text: str) -> int:
    """A whole number as people write it, such as 5000, 5_000 or 50e6."""
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not value.is_integer():
        raise typer.BadParameter(f"{text!r} is no whole number. Remedy: write it as 5000 or 50e6.")
    return int(value)


def _counted(help: str) -> Any:
    return typer.Option(help=help, parser=_count, metavar="NUMBER", show_default=False)


def plan(
    users: Annotated[int, _counted("Users that the shop knows")],
    products: Annotated[int, _counted("Products")],
    events: Annotated[int, _counted("Behaviour events of the whole history")],
    order_lines: Annotated[int | None, _counted("Order lines of the whole history; else 104 for 1,000 events")] = None,
    days: Annotated[int, typer.Option(help="Days of history")] = 180,
    sites: Annotated[int, typer.Option(help="Sites that keep stock")] = 2,
    hours: Annotated[float, typer.Option(min=0.1, max=24, help="Hours that a night may take")] = 6.0,
    home: Home = None,
    json: Json = False,
) -> None:
    """Time, memory and disk of a first night of a shop of that size, which engine carries it, and what gives out first.

    Example: fivefold plan --users 50e6 --products 5e6 --events 2e9
    """
    from flows.plan import plan as make_plan
    from flows.settings import load_settings
    from tasks.planning.shop import SenselessShop, Shop

    try:
        shop = Shop.of(users=users, products=products, events=events, order_lines=order_lines, days=days, sites=sites)
    except SenselessShop as error:
        raise stop(str(error), WRONG_USE) from None
    answer = make_plan(shop, load_settings(home=home), hours)
    if json:
        print_json(_as_data(answer))
    else:
        _print(answer)


def _as_data(plan: Plan) -> dict[str, Any]:
    totals = {"cpu_s": plan.estimate.cpu_s, "clock_s": plan.estimate.clock_s, "gib": plan.estimate.largest.gib}
    return asdict(plan) | {"night": totals}


def _print(plan: Plan) -> None:
    shop, whole, advice = plan.estimate.shop, plan.estimate, plan.advice
    print_line(
        f"a first night of {shop.users:,} users, {shop.products:,} products, {shop.events:,} events and "
        f"{shop.order_lines:,} order lines in {shop.days} days"
    )
    rows = [(step.step, _time(step.cpu_s), _time(step.clock_s), _gib(step.gib)) for step in whole.steps]
    rows.append(("night", _time(whole.cpu_s), _time(whole.clock_s), _gib(whole.largest.gib)))
    print_table("", ("step", "processor", "by the clock", "memory"), rows)
    print_table("Disk", ("what", "size"), [(name, _gib(size / 2**30)) for name, size in whole.disk.items()])
    steps = sorted(whole.steps, key=lambda step: -step.gib_per_million_users)
    memory = [(step.step, _gib(step.gib_per_million_users)) for step in steps if step.gib_per_million_users > 0.005]
    memory.append(("ids of users in training", _gib(plan.ids_gib_per_million_users)))
    print_table("Memory for a million more of such users", ("step", "memory"), memory)
    print_table(
        "What gives out first",
        ("of", "needed", "there", "enough for such a shop"),
        [
            (bound.of, f"{bound.needed:,.4g} {bound.unit}", f"{bound.there:,.4g} {bound.unit}", _times(bound.times))
            for bound in advice.bounds
        ],
    )
    workers = f" with {advice.workers} workers" if advice.workers > 1 else ""
    engine = "neither engine" if advice.engine == "none" else f"engine {advice.engine}{workers}"
    print_line(f"\n{engine}: {advice.reason}")
    if whole.disk_bytes / 2**30 > plan.machine.disk_gib:
        print_line(f"the home wants a disk with {_gib(whole.disk_bytes / 2**30)} free: --home names another")
    if advice.engine == "none":
        print_line("docs/scaling.md says what takes over: less history, fewer candidates, a warehouse of your own")
    print_line(f"cost class: {advice.cost_class}, {advice.core_hours:,.1f} core hours a night")
    print_line(f"measured on {plan.measured_on}")


def _time(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:,.0f} s"
    return f"{seconds / 60:,.0f} min" if seconds < 5400 else f"{seconds / 3600:,.1f} h"


def _gib(size: float) -> str:
    if size < 1:
        return f"{size * 1024:,.0f} MiB"
    return f"{size:,.1f} GiB" if size < 1024 else f"{size / 1024:,.1f} TiB"


def _times(factor: float) -> str:
    if factor == 0:
        return "of no size"
    return f"{factor:,.3g} times as large"
