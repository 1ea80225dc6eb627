"""Promises of the world: the same luck, nothing out of nothing, every row as contracted."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from tests.demo_shop.conftest import Lived
from warehouse.connect import open_memory
from warehouse.contracts import FEEDS, feed
from warehouse.contracts.table import quote
from warehouse.migrate import migrate
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.names import numbers
from warehouse.sources.demo_shop.sizes import SIZES, size_named
from warehouse.sources.demo_shop.world import Day, World
from warehouse.validation.rules_sql import check_table

TINY = SIZES["tiny"]


def same(one: Day, other: Day) -> bool:
    frames = [(one.feeds, other.feeds), (one.truth, other.truth)]
    return one.ledger == other.ledger and all(
        left.keys() == right.keys() and all(left[name].equals(right[name]) for name in left) for left, right in frames
    )


def latest(rows: pl.DataFrame, key: str) -> pl.DataFrame:
    """Of rows with one key the one that was delivered last."""
    return rows.unique(key, keep="last", maintain_order=True)


def test_the_same_size_and_seed_give_the_same_shop_and_another_seed_another() -> None:
    first, again, other = (World.create(TINY, seed) for seed in (5, 5, 6))
    assert all(rows.equals(again.opening()[name]) for name, rows in first.opening().items())
    day = first.live()
    assert same(day, again.live())
    assert not same(day, other.live())


def test_a_loaded_shop_lives_on_exactly(tmp_path: Path, lived: Lived) -> None:
    lived.world.save(tmp_path)
    one, other = World.load(tmp_path), World.load(tmp_path)
    assert one.today == lived.days[-1].date + timedelta(days=1)
    one.live()
    one.save(tmp_path / "later")
    resumed = World.load(tmp_path / "later")
    other.live()
    assert same(resumed.live(), other.live())


def test_nothing_half_written_is_loaded(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        World.load(tmp_path)


def test_units_come_from_somewhere_and_go_somewhere(lived: Lived) -> None:
    world = World.create(TINY, seed=3)
    for day in lived.days[:20]:
        before = world.state.on_hand.astype(int)
        today = world.live()
        number = (today.date - TINY.first_day).days
        moved = np.zeros_like(before)
        lines = today.feeds["order_lines"]
        sold = lines.filter(pl.col("shipped_at").is_null())
        returned = lines.filter(_date("returned_at") == today.date)
        received = today.feeds["purchase_order_lines"].filter(_date("received_at") == today.date)
        for rows, site, units, sign in (
            (sold, "ship_from_site_id", "quantity", -1),
            (returned, "ship_from_site_id", "quantity", 1),
            (received, "ship_to_site_id", "quantity_received", 1),
        ):
            place = numbers("site", rows[site], TINY.sites, "t"), numbers("product", rows["product_id"], 80, "t")
            np.add.at(moved, place, sign * rows[units].to_numpy().astype(int))
        wasted = before + moved - world.state.on_hand
        assert (wasted >= 0).all(), number
        assert (wasted.sum() > 0) == (today.ledger["waste_cost"] > 0)
        assert same(today, day)


def test_nothing_is_sold_that_is_not_there(lived: Lived) -> None:
    snapshots = lived.feed("inventory_snapshots")
    assert snapshots["available_units"].min() == 0
    demand = lived.truth("demand")
    assert (demand["sold_units"] >= 0).all()
    out_all_day = snapshots.filter(pl.col("out_of_stock_hours") == 24).select(
        demand_date="snapshot_date", product_id="product_id", site_id="site_id"
    )
    keys = ["demand_date", "product_id", "site_id"]
    assert len(out_all_day) > 0
    assert demand.join(out_all_day, on=keys, how="semi")["sold_units"].sum() == 0
    # What was missed was wanted all the same.
    assert demand.join(out_all_day, on=keys, how="semi")["uncensored_units"].sum() > 0


def test_the_sums_of_an_order_are_those_of_its_lines(lived: Lived) -> None:
    lines = latest(lived.feed("order_lines"), "order_line_id")
    sums = lines.group_by("order_id").agg(
        list=(pl.col("list_price") * pl.col("quantity")).sum(),
        paid=pl.col("line_total").sum(),
        promoted=pl.col("discount").sum(),
    )
    orders = latest(lived.feed("orders"), "order_id").join(sums, on="order_id")
    assert len(orders) == sum(day.ledger["orders"] for day in lived.days)
    assert orders["coupon"].is_not_null().any()
    for left, right in (
        (pl.col("subtotal"), pl.col("list")),
        (pl.col("order_total"), pl.col("paid") + pl.col("shipping_total")),
        (pl.col("order_total"), pl.col("subtotal") - pl.col("discount_total") + pl.col("shipping_total")),
    ):
        assert orders.select((left - right).abs().max()).item() < 1e-6
    without_coupon = orders.filter(pl.col("coupon").is_null())
    assert without_coupon.select((pl.col("promoted") - pl.col("discount_total")).abs().max()).item() < 1e-6


def test_every_row_is_as_contracted(lived: Lived) -> None:
    named = {table.name for table in FEEDS} - {"decisions"}  # which only people send
    delivered = set(lived.opening) | {name for day in lived.days for name in day.feeds}
    assert delivered == named
    with open_memory() as con:
        migrate(con)
        for name in sorted(named):
            table = feed(name)
            rows = lived.feed(name).unique(list(table.key), keep="last", maintain_order=True)
            assert set(rows.columns) <= set(table.column_names), name
            columns = ", ".join(quote(column) for column in rows.columns)
            con.register("delivered_rows", rows.to_arrow())
            con.execute(f"insert into {table.qualified_name} ({columns}) select {columns} from delivered_rows")
            con.unregister("delivered_rows")
        broken = [
            (name, result.rule, result.detail)
            for name in sorted(named)
            for result in check_table(con, feed(name))
            if result.rows_broken
        ]
    assert broken == []


def test_money_of_the_ledger_adds_up(lived: Lived) -> None:
    costs = ["cost_of_goods", "delivery_cost", "holding_cost", "waste_cost", "ordering_cost", "return_cost"]
    costs += ["message_cost", "wages", "compensation_cost"]
    for day in lived.days:
        figures = day.ledger
        assert figures["profit"] == pytest.approx(figures["revenue"] - sum(figures[name] for name in costs))
        json.dumps(figures)


def test_a_price_of_the_feed_is_the_price_of_the_line(lived: Lived) -> None:
    lines = lived.feed("order_lines").filter(pl.col("shipped_at").is_null())
    orders = latest(lived.feed("orders"), "order_id").select("order_id", "ordered_at")
    prices = latest(lived.feed("price_changes").with_columns(key=pl.concat_str("product_id", "valid_from")), "key")
    sold = lines.join(orders, on="order_id").sort("ordered_at")
    in_force = sold.join_asof(
        prices.sort("valid_from"), left_on="ordered_at", right_on="valid_from", by="product_id", check_sortedness=False
    )
    assert in_force.select((pl.col("sold_price") - pl.col("price")).abs().max()).item() < 1e-9
    assert in_force.filter(pl.col("valid_to") <= pl.col("ordered_at")).is_empty()


def test_policies_meet_the_same_luck() -> None:
    rules, dear = World.create(TINY, 4), World.create(TINY, 4)
    prices = rules.opening()["price_changes"].select("product_id", price=pl.col("price").cast(pl.Float64) * 1.1)
    for _ in range(3):
        left, right = rules.live(), dear.live(Decisions(prices=prices))
        visits = [day.feeds["behaviour_events"]["visitor_id"].n_unique() for day in (left, right)]
        assert visits[0] == pytest.approx(visits[1], rel=0.02)
        assert left.ledger["visits"] == right.ledger["visits"]
        assert right.ledger["demanded_units"] < left.ledger["demanded_units"]


def test_an_unknown_size_is_named() -> None:
    with pytest.raises(LookupError, match="did you mean 'small'"):
        size_named("smal")


def _date(column: str) -> pl.Expr:
    return pl.col(column).dt.replace_time_zone("UTC").dt.convert_time_zone("Europe/Berlin").dt.date()
