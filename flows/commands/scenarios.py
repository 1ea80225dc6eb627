"""`fivefold what-if`: what other prices and promotions would change."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from flows.commands.options import DAY_FORMATS, WRONG_USE, Home, Json, print_json, print_line, stop
from flows.commands.tables import print_table

if TYPE_CHECKING:
    from flows.what_if import Answer, Rows

# Rows of each table that a terminal shows; all of them are kept.
_SHOWN = 10
_MEASURES = {
    "demand_units": "demand, units",
    "revenue": "revenue",
    "margin": "margin",
    "order_units": "to order tonight, units",
    "listed_purchases": "purchases from lists",
    "contacts": "contacts",
    "workload_hours": "agent hours",
}
# Words that let a table of pairs fit a terminal.
_SHORT = {
    f"{name}_{side}": f"{words} {side}"
    for name, words in {
        "demand_units": "units",
        "order_units": "order",
        "stockout_probability": "stockout",
        "mean_price": "price",
        "required_agents": "agents",
    }.items()
    for side in ("night", "scenario")
} | {"overruled_guardrail": "overrules"}


def what_if(
    price: Annotated[
        list[str] | None,
        typer.Option(help="Price to set, such as P1000131=4.99; may be repeated", metavar="PRODUCT=PRICE"),
    ] = None,
    promotion: Annotated[
        list[str] | None,
        typer.Option(
            help='Promotion to announce, such as "products=P1,P2 discount=20% from=2026-07-06 to=2026-07-12"; '
            "category='Fresh Food' instead of products takes all of it, channel=web says where it runs; may be "
            "repeated",
            metavar="PROMOTION",
        ),
    ] = None,
    as_of: Annotated[
        datetime | None,
        typer.Option(
            help="Day of the night to ask about; without it, the released one", formats=DAY_FORMATS, show_default=False
        ),
    ] = None,
    home: Home = None,
    json: Json = False,
) -> None:
    """Show what other prices or promotions would change in demand, margin, orders, lists and contacts.

    Nothing of the release changes. Every answer is kept: fivefold sql "from scenarios.summaries".

    Example: fivefold what-if --price P1000131=4.99 --price P1000179=2.49
    """
    from flows.settings import load_settings
    from flows.what_if_words import read_question
    from tasks.scenarios.question import ScenarioError

    if not price and not promotion:
        raise stop("nothing is asked. Remedy: name a --price or a --promotion; --help has an example.", WRONG_USE)
    try:
        question = read_question(price or [], promotion or [])
        settings = load_settings(home=home)
        from flows.what_if import ask

        answer = ask(settings, question, as_of and as_of.date())
    except ScenarioError as error:
        raise stop(str(error), WRONG_USE) from None
    if json:
        print_json(asdict(answer))
    else:
        _tell(answer)


def _tell(answer: Answer) -> None:
    summary = answer.tables["summaries"][0]
    print_line(f"night {answer.run_id} as of {answer.as_of_date}, and with {summary['question']}")
    print_table("", ["until " + str(summary["until_date"]), "night", "scenario", "change", ""], _measures(summary))
    price = "mean_price" if "--promotion" in summary["question"] else "price"
    _print_pairs("Products", answer.tables["products"], ("product_id", "product_title"), (price, "demand_units",
        "margin"), ("overruled_guardrail",))  # fmt: skip
    _print_pairs("Orders", answer.tables["orders"], ("product_id", "site_id"), ("order_units", "stockout_probability"))
    _print_pairs("Lists", answer.tables["recommendations"], ("placement", "product_id"), ("users", "purchases"))
    staffed = [
        row for row in answer.tables["contacts"] if row["required_agents_night"] != row["required_agents_scenario"]
    ]
    _print_pairs("Agents", staffed, ("forecast_date", "channel", "contact_reason"), ("required_agents", "contacts"))
    for note in [*answer.notes, *(f"would break a promise: {promise}" for promise in answer.broken_promises)]:
        print_line(f"\n{note}")
    print_line(f"\nnext: fivefold sql \"from scenarios.demand where scenario_id = '{answer.scenario_id}'\"")


def _measures(summary: dict[str, Any]) -> list[tuple[Any, ...]]:
    """Each measure that the night has: its two values, their difference, and that as a share."""
    rows = []
    for name, words in _MEASURES.items():
        night, scenario = summary[f"{name}_night"], summary[f"{name}_scenario"]
        if night is not None:
            share = f"{(scenario - night) / night:+.2%}" if night else ""
            rows.append((words, night, scenario, scenario - night, share))
    return rows


def _print_pairs(
    title: str, rows: Rows, names: tuple[str, ...], measures: tuple[str, ...], words: tuple[str, ...] = ()
) -> None:
    """The rows that change most in the first measure, then in the next."""
    if not rows:
        return
    pairs = [f"{measure}_{side}" for measure in measures for side in ("night", "scenario")]

    def change(row: dict[str, Any]) -> list[float]:
        values = [(row[night], row[scenario]) for night, scenario in zip(pairs[::2], pairs[1::2], strict=True)]
        return [-abs(float(scenario or 0) - float(night or 0)) for night, scenario in values]

    columns = [*names, *pairs, *words]
    shown = sorted(rows, key=change)[:_SHOWN]
    rest = f" (the first {_SHOWN} of {len(rows)})" if len(rows) > _SHOWN else ""
    print_table(
        f"{title} that change{rest}",
        [_SHORT.get(column, column).replace("_", " ") for column in columns],
        [tuple(row[column] for column in columns) for row in shown],
    )
