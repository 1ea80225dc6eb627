"""The sections of the page, in order: each has a folder of queries in `warehouse/report`, a template and charts."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tasks.report.charts import demand, health, lists, models, orders, prices, service
from tasks.report.charts.look import Figure
from warehouse.report import Answers


def _no_charts(_answers: Answers) -> dict[str, Figure]:
    return {}


@dataclass(frozen=True, kw_only=True)
class Section:
    """`name` is that of its folder, template and anchor; `heads` are those that its tables hang on."""

    name: str
    title: str
    heads: tuple[str, ...] = ()
    draw: Callable[[Answers], dict[str, Figure]] = _no_charts


SECTIONS = (
    Section(name="changes", title="What changed"),
    Section(name="queue", title="To do"),
    Section(name="prices", title="Prices", heads=("pricing", "promotion", "uplift"), draw=prices.draw),
    Section(name="orders", title="Orders", heads=("supply",), draw=orders.draw),
    Section(name="demand", title="Demand", heads=("supply", "pricing"), draw=demand.draw),
    Section(name="lists", title="Lists", heads=("recommendation", "quality", "profile"), draw=lists.draw),
    Section(name="service", title="Service", heads=("service", "order_risks", "tickets"), draw=service.draw),
    Section(name="models", title="Model", draw=models.draw),
    Section(name="data", title="Data", draw=health.draw),
)
