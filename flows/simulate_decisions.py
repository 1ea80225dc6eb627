"""What the demo shop takes over from a release: each published table becomes a part of its next day's decisions."""

from __future__ import annotations

from pathlib import Path

import duckdb
import numpy as np
import polars as pl

from mtl_models.decisions.staffing import required_agents
from warehouse.connect import open_read_only, read_sql
from warehouse.contracts.table import quote
from warehouse.sources.demo_shop.decisions import POOLED, Decisions
from warehouse.sources.demo_shop.intentions import planned_prices, running_campaign, service_promise
from warehouse.sources.demo_shop.world import World


def published_decisions(published: Path, world: World) -> Decisions:
    """What the current release decides for the shop's today. A part whose head published nothing is left to the
    shop's own habit."""
    with open_read_only(published) as con:
        return Decisions(
            prices=_prices(_part(con, "prices", "price_recommendations"), world),
            lists=_part(con, "lists", "product_recommendations"),
            orders=_part(con, "orders", "replenishment_recommendations"),
            offers=_offers(_part(con, "offers", "promotion_recommendations"), world),
            agents=_agents(_part(con, "contacts", "service_forecasts"), world),
            messages=_part(con, "messages", "order_contact_risks"),
        )


def _part(con: duckdb.DuckDBPyConnection, part: str, table: str) -> pl.DataFrame | None:
    """The rows of one part; None when the release has no row of its table."""
    if not con.execute(f"from predictions.{quote(f'{table}_latest')} limit 1").fetchall():
        return None
    return con.sql(read_sql(f"sources/demo_shop/published_sql/{part}.sql")).pl()


def _prices(ratios: pl.DataFrame | None, world: World) -> pl.DataFrame | None:
    """The change applies to the price that the shop had planned for today, promotion included."""
    if ratios is None:
        return None
    both = ratios.join(planned_prices(world), on="product_id", maintain_order="left")
    return both.select("product_id", price=(pl.col("price") * pl.col("ratio")).round(2))


def _offers(offers: pl.DataFrame | None, world: World) -> pl.DataFrame | None:
    """Only the campaign that runs today can be offered; where the release says nothing about it, the shop decides."""
    if offers is None:
        return None
    running = offers.filter(pl.col("campaign_id") == (running_campaign(world) or ""))
    return None if running.is_empty() else running


def _agents(contacts: pl.DataFrame | None, world: World) -> pl.DataFrame | None:
    """Agents of a common queue for all that is expected today, by the shop's own promise to its customers."""
    today = contacts.filter(pl.col("forecast_date") == world.today) if contacts is not None else pl.DataFrame()
    if today.is_empty():
        return None
    promise = service_promise(world)
    expected, hours = today["contacts"].to_numpy(), today["workload_hours"].to_numpy()
    agents = required_agents(
        expected / promise.open_hours,
        60 * hours / np.maximum(expected, 1e-9),
        np.array([promise.answered_in_time_ratio]),
        np.array([promise.answer_within_minutes]),
        np.array([promise.maximum_occupancy_ratio]),
    )
    return pl.DataFrame({"channel": POOLED, "agents": agents})
