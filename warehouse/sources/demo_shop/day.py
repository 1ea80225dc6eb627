"""A day in the life of the shop, read top to bottom."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import behaviour, entities, feeds, lifecycle, service, supply
from warehouse.sources.demo_shop.arrays import Ints, Rows
from warehouse.sources.demo_shop.carry_out import Today, understand, units_to_order
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.ledger import ledger
from warehouse.sources.demo_shop.market import open_market
from warehouse.sources.demo_shop.names import A_DAY, always, dates, ids, moments, money, prefixed
from warehouse.sources.demo_shop.orders import make_orders
from warehouse.sources.demo_shop.parcels import forget_old_orders, move_parcels
from warehouse.sources.demo_shop.plan import (
    CAMPAIGN_DAYS,
    CAMPAIGN_KNOWN_DAYS,
    DAYS_AHEAD,
    KNOWN_AHEAD_DAYS,
    WEEK,
    campaign,
    campaign_of_day,
    promotions_of_week,
)
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import LIST
from warehouse.sources.demo_shop.state import State
from warehouse.sources.demo_shop.trade import Trade, trade

Frames = dict[str, pl.DataFrame]

_USUAL_MEMORY = np.float32(1 / 28)


@dataclass(frozen=True)
class Brought:
    """What the day brought: see `world.Day`."""

    feeds: Frames
    truth: Frames
    ledger: dict[str, float]


def live_day(shop: Shop, state: State, decisions: Decisions) -> tuple[Shop, Brought]:
    """Live `state.day`; returns the shop with its new users. Nothing has changed when it raises DecisionError."""
    day = state.day
    plan = promotions_of_week(shop.catalogue, shop.seed, day // WEEK)
    today = understand(shop, state, decisions, plan.depth)

    shop = shop.with_arrivals(day)
    arrived = lifecycle.welcome(shop, state)
    received = supply.receive(state)
    ordered = supply.order(shop, state, units_to_order(shop, state, today))
    prices = _set_prices(shop, state, today)
    planned = _announce(shop, state, today)
    state.orders["is_messaged"][today.messaged] = True
    parcels = move_parcels(shop, state)

    market = open_market(shop, day, state.shelf_price, state.list_price)
    traded = trade(shop, state, market)
    orders, lines = make_orders(shop, state, market, traded.sales)
    _book(shop, state, orders, lines)

    tickets = service.contacts(shop, state, traded.looks.user, traded.looks.first_product)
    service.answer(shop, state, tickets, today.agents, today.is_pooled)
    state.tickets = np.concatenate([state.tickets, tickets])

    wasted = supply.throw_away(shop, state)
    lifecycle.watch(shop, state, traded.looks.user)
    changed, erased = lifecycle.move_on(shop, state)
    figures = ledger(
        shop, state, today, traded,
        orders=orders, lines=lines, parcels=parcels, tickets=tickets, purchases=ordered, wasted=wasted,
    )  # fmt: skip
    brought = Brought(
        {
            "users": _users(shop, state, arrived, changed, erased),
            **prices,
            **planned,
            "orders": feeds.orders(shop, np.concatenate([parcels.orders, orders]), day),
            "order_lines": feeds.order_lines(shop, np.concatenate([parcels.lines, lines]), day),
            "redemptions": _redemptions(shop, orders),
            "behaviour_events": _events(shop, state, traded, orders, lines, parcels.reviewed),
            "service_tickets": _tickets(shop, state),
            "purchase_order_lines": feeds.purchase_order_lines(shop, np.concatenate([received, ordered]), day),
            "inventory_snapshots": _snapshots(shop, state, traded),
        },
        {"demand": _demand(shop, state, traded, lines)},
        figures,
    )
    forget_old_orders(state)
    return shop, brought


def _set_prices(shop: Shop, state: State, today: Today) -> Frames:
    """Put today's prices on the shelf; rows of what changed: prices that end, prices that begin, products."""
    day, catalogue = state.day, shop.catalogue
    is_new, has_ended = catalogue.launch_day == day, catalogue.end_day == day
    is_changed = (today.price != state.shelf_price) | (today.list_price != state.list_price)
    is_changed &= catalogue.is_sold(day) & ~is_new
    ends = np.flatnonzero(is_changed | has_ended)
    begins = np.flatnonzero(is_changed | is_new)
    is_entered = catalogue.launch_day == day + KNOWN_AHEAD_DAYS
    is_renamed = is_entered | has_ended | (catalogue.end_day == day + 1)
    is_renamed |= is_changed & (today.list_price != state.list_price)
    ended = entities.price_rows(
        shop, ends, state.price_since[ends], state.shelf_price[ends], state.list_price[ends], until=day
    )
    state.shelf_price, state.list_price = today.price.astype(np.int32), today.list_price.astype(np.int32)
    state.price_ratio = today.ratio.astype(np.float32)
    state.price_since[begins] = day
    begun = entities.price_rows(shop, begins, state.price_since[begins], today.price[begins], today.list_price[begins])
    return {
        "products": entities.products(shop, np.flatnonzero(is_renamed), state.list_price, day),
        "supplier_products": entities.supplier_products(shop, np.flatnonzero(is_entered)),
        "price_changes": pl.concat([ended, begun]),
    }


def _announce(shop: Shop, state: State, today: Today) -> Frames:
    """Lists, coupons and the plans that become known today."""
    day = state.day
    state.shared_list = today.shared_list.astype(np.int32)
    if today.lists is not None:
        users, lists = today.lists
        state.lists[users] = lists
    planned: Frames = {}
    if day % WEEK == 0:
        planned |= entities.promotions(shop, promotions_of_week(shop.catalogue, shop.seed, (day + DAYS_AHEAD) // WEEK))
    coming = day + CAMPAIGN_KNOWN_DAYS
    if coming % CAMPAIGN_DAYS == 0 and coming > 0:
        planned |= entities.campaigns(shop, campaign(shop.seed, coming // CAMPAIGN_DAYS - 1))
    running = campaign_of_day(shop.seed, day)
    if running is not None:
        if running.first_day == day:
            state.has_coupon[:] = state.was_offered[:] = False
        state.has_coupon[today.offered] = state.was_offered[today.offered] = True
        offered = ids("user", today.offered)
        running_id = always(running.campaign_id, len(offered))
        planned["campaign_targets"] = pl.DataFrame({"campaign_id": running_id, "user_id": offered})
    return planned


def _book(shop: Shop, state: State, orders: Rows, lines: Rows) -> None:
    """Take the sold units from the stock, and remember orders, rates and used coupons."""
    sold = np.zeros(state.on_hand.shape, np.int64)
    np.add.at(sold, (lines["site"], lines["product"]), lines["units"])
    state.on_hand = (state.on_hand - sold).astype(np.int32)
    supply.remember_sales(shop, state, sold)
    orders_each = np.bincount(orders["site"], minlength=shop.size.sites)
    state.usual_orders += _USUAL_MEMORY * (orders_each - state.usual_orders)
    state.has_coupon[orders["user"][orders["campaign"] >= 0]] = False
    state.orders, state.lines = np.concatenate([state.orders, orders]), np.concatenate([state.lines, lines])
    state.next_order += len(orders)
    state.next_line += len(lines)


def _users(shop: Shop, state: State, arrived: Ints, changed: Ints, erased: Ints) -> pl.DataFrame:
    number = np.union1d(arrived, changed)
    return entities.users(shop, state, number, np.isin(number, erased))


def _redemptions(shop: Shop, orders: Rows) -> pl.DataFrame:
    rows = orders[orders["campaign"] >= 0]
    order = ids("order", rows["number"])
    return pl.DataFrame(
        {
            "redemption_id": prefixed("R", order),
            "campaign_id": ids("campaign", rows["campaign"]),
            "user_id": ids("user", rows["user"]),
            "coupon_id": ids("campaign", rows["campaign"]),
            "order_id": order,
            "redeemed_at": moments(rows["day"].astype(np.int64) * A_DAY + rows["second"]),
            "discount": money(rows["coupon_discount"]),
        }
    )


def _events(shop: Shop, state: State, traded: Trade, orders: Rows, lines: Rows, reviewed: Rows) -> pl.DataFrame:
    column = traded.sales.rows.column
    rank = np.where(column < LIST.stop, column + 1, 0)
    events = [traded.events, behaviour.checkouts(state, orders, lines, rank), behaviour.reviews(reviewed)]
    return behaviour.behaviour_events(shop, np.concatenate(events), state.day)


def _tickets(shop: Shop, state: State) -> pl.DataFrame:
    """Tickets that were opened, answered or solved today; solved ones are then forgotten."""
    start, end = state.day * A_DAY, (state.day + 1) * A_DAY
    rows = state.tickets
    is_touched = np.zeros(len(rows), bool)
    for moment in ("created", "replied", "solved"):
        is_touched |= (rows[moment] >= start) & (rows[moment] < end)
    state.tickets = rows[rows["solved"] >= end]
    return feeds.service_tickets(shop, rows[is_touched], state.day)


def _snapshots(shop: Shop, state: State, traded: Trade) -> pl.DataFrame:
    waiting = state.lines[state.lines["ship_day"] > state.day]
    committed = np.zeros(state.on_hand.shape, np.int64)
    np.add.at(committed, (waiting["site"], waiting["product"]), waiting["units"])
    on_hand, incoming = state.on_hand.astype(np.int64), supply.incoming(state)
    return feeds.inventory_snapshots(shop, state.day, on_hand, committed, incoming, traded.sales.sold_out_second)


def _demand(shop: Shop, state: State, traded: Trade, lines: Rows) -> pl.DataFrame:
    """Truth: one row per product on sale, site and day."""
    site, product = np.nonzero(np.broadcast_to(shop.catalogue.is_sold(state.day), state.on_hand.shape))
    sold = np.zeros(state.on_hand.shape, np.int64)
    np.add.at(sold, (lines["site"], lines["product"]), lines["units"])
    return pl.DataFrame(
        {
            "demand_date": dates(np.full(len(site), state.day)),
            "product_id": ids("product", product),
            "site_id": ids("site", site),
            "price": money(state.shelf_price[product]),
            "expected_units": traded.expected_units[site, product],
            "uncensored_units": traded.wanted_units[site, product],
            "sold_units": sold[site, product],
            "is_out_of_stock": traded.sales.sold_out_second[site, product] < A_DAY,
        }
    )
