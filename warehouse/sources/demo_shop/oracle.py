"""What somebody would decide who knows the truth, under the same rules as everybody; and what nobody would: nothing.

Each part is the best that can be said in closed form about today, not a plan of all days at once: a strong
yardstick, no upper bound.
"""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import laws, service, supply
from warehouse.sources.demo_shop.arrays import Floats, Ints
from warehouse.sources.demo_shop.carry_out import usual_agents
from warehouse.sources.demo_shop.chances import order_chances, usual_order_chance
from warehouse.sources.demo_shop.decisions import EVERYONE, POOLED, Decisions
from warehouse.sources.demo_shop.expectation import expected_demand, planned_prices, seen_market
from warehouse.sources.demo_shop.market import Market, open_market
from warehouse.sources.demo_shop.names import ids, money
from warehouse.sources.demo_shop.oracle_lists import best_lists
from warehouse.sources.demo_shop.plan import CAMPAIGN_DAYS, COUPON_CENTS, campaign_of_day
from warehouse.sources.demo_shop.policies import MAXIMUM_CHANGE_RATIO, MINIMUM_MARGIN_RATIO, price_ceilings
from warehouse.sources.demo_shop.state import NO_LIST
from warehouse.sources.demo_shop.world import World

PRICE_STEPS = 5
# Chance to get through the lead time: a lost sale costs far more than a day of stock.
_SERVICE_Z, _PERISHABLE_Z, _COVER_DAYS, _PERISHABLE_COVER_DAYS = 1.5, 0.0, 12, 2
# A missed answer costs a voucher, and some of the customer's future.
_LATE_ANSWER_CENTS = 4 * service.COMPENSATION_CENTS
_MESSAGE_FROM = 0.02
_BASKET_MARGIN_CENTS, _COVERED_SHARE = 900, 0.25
_MOST_AGENTS_OVER_USUAL = 4


def hold(world: World) -> Decisions:
    """Yesterday's shelf prices and everyone's list again, so that announced promotions neither begin nor end; nobody
    is offered a coupon. Stock and staff go on by habit: a shop that ordered nothing would close."""
    state = world.state
    sold = np.flatnonzero(world.shop.catalogue.is_sold(state.day))
    shown = state.shared_list[state.shared_list != NO_LIST]
    lists = pl.DataFrame({"rank": np.arange(1, len(shown) + 1), "product_id": ids("product", shown)})
    return Decisions(
        prices=_price_rows(sold, state.shelf_price[sold]),
        lists=lists.with_columns(user_id=pl.lit(EVERYONE)) if len(shown) else None,
        offers=pl.DataFrame({"user_id": [], "campaign_id": []}, {"user_id": pl.String, "campaign_id": pl.String}),
    )


def oracle(world: World) -> Decisions:
    """Today's decisions from true elasticities, tastes, demand, lead times and contact chances."""
    shop, state = world.shop, world.state
    price, list_price = planned_prices(shop, state, state.day)
    best = _best_prices(world, price)
    market = open_market(shop, state.day, best, np.maximum(list_price, best))
    sold = np.flatnonzero(market.is_sold)
    orders = order_chances(shop, state, 1)
    return Decisions(
        prices=_price_rows(sold, best[sold]),
        lists=best_lists(shop, state, market),
        orders=_orders(world, market),
        offers=_offers(world),
        agents=_agents(world, float(orders["contact_probability"].to_numpy().sum())),
        messages=_messages(world),
    )


def _price_rows(product: Ints, cents: Ints) -> pl.DataFrame:
    return pl.DataFrame({"product_id": ids("product", product), "price": money(cents)})


def _best_prices(world: World, current: Ints) -> Ints:
    """(P,) cents: of the prices within the largest change that end with 9, the one of the largest expected margin."""
    catalogue, state = world.shop.catalogue, world.state
    known = state.elasticity_weight > 0
    elasticity = np.where(known, state.elasticity_sum / np.where(known, state.elasticity_weight, 1), -2)
    low = np.ceil((current * (1 - MAXIMUM_CHANGE_RATIO) - 9) / 10) * 10 + 9
    highest = np.minimum(current * (1 + MAXIMUM_CHANGE_RATIO), price_ceilings(catalogue))
    high = np.floor((highest - 9) / 10) * 10 + 9
    steps = np.linspace(0, 1, PRICE_STEPS)[:, None]
    tried = np.rint((low + steps * (high - low) - 9) / 10) * 10 + 9
    tried = np.where(high >= low, tried, current)
    tried = np.concatenate([current[None], tried]).astype(np.float64)
    margin = (tried - catalogue.unit_cost) * (tried / current) ** elasticity
    is_allowed = 1 - catalogue.unit_cost / tried >= MINIMUM_MARGIN_RATIO
    is_allowed[0] = True
    best = np.where(is_allowed, margin, -np.inf).argmax(axis=0)
    chosen = np.take_along_axis(tried, best[None], axis=0)[0]
    return np.where(catalogue.is_price_locked, current, chosen).astype(np.int64)


def _orders(world: World, market: Market) -> pl.DataFrame:
    """Up to the quantile of true demand over the true lead time and a few days of cover."""
    shop, state = world.shop, world.state
    catalogue, suppliers = shop.catalogue, shop.catalogue.suppliers
    coming = [expected_demand(shop, state, market)]
    coming += [expected_demand(shop, state, seen_market(shop, state, state.day + ahead)) for ahead in (7, 14)]
    daily: Floats = np.mean(coming, axis=0)
    usual = suppliers.lead_days(catalogue.supplier, 0.5) + 1
    late = suppliers.lead_days(catalogue.supplier, 0.9) + 1
    batch = catalogue.expected_units
    spread = np.sqrt(2 * batch * daily * usual + (daily * (late - usual) / 1.28) ** 2)
    reorder_point = daily * usual + np.where(catalogue.is_perishable, _PERISHABLE_Z, _SERVICE_Z) * spread
    cover = np.where(catalogue.is_perishable, _PERISHABLE_COVER_DAYS, _COVER_DAYS)
    left = np.maximum(catalogue.end_day - state.day - usual, 0)
    position = state.on_hand + supply.incoming(state)
    up_to = np.minimum(reorder_point + daily * cover, daily * (usual + left))
    is_low = (position < reorder_point) & supply.is_replenished(shop, state.day)
    units = np.where(is_low, np.ceil(np.maximum(up_to - position, 0)), 0).astype(np.int64)
    site, product = np.nonzero(units)
    return pl.DataFrame(
        {"product_id": ids("product", product), "site_id": ids("site", site), "units": units[site, product]}
    )


def _agents(world: World, contacts_about_orders: float) -> pl.DataFrame:
    """Agents of the common queue for which wages and late answers cost least: the chance of a long wait is that of one
    agent that is so many times as fast (M/M/1)."""
    shop, state = world.shop, world.state
    visits = usual_order_chance(shop, state)[0]
    questions = service.QUESTION_SHARE * (visits * shop.people.contact_rate).sum()
    minutes = float(np.mean(service.HANDLE_MINUTES[[laws.WHERE, laws.DAMAGED, laws.REFUND]]))
    contacts = contacts_about_orders + questions
    work = contacts_about_orders * minutes + questions * service.HANDLE_MINUTES[laws.QUESTION] + state.backlog.sum()
    agents = np.arange(1, usual_agents(shop) + _MOST_AGENTS_OVER_USUAL)
    load = work / (agents * service.OPEN_MINUTES)
    patience = (1 - load) * agents * service.ANSWER_WITHIN_MINUTES / minutes
    late = np.where(load < 1, load * np.exp(-np.maximum(patience, 0)), 1)
    wages = agents * service.OPEN_MINUTES / 60 * service.WAGE_CENTS_PER_HOUR
    best = agents[(wages + contacts * late * _LATE_ANSWER_CENTS).argmin()]
    return pl.DataFrame({"channel": [POOLED], "agents": [best]})


def _messages(world: World) -> pl.DataFrame:
    """Parcels that are late, of customers of whom it is likely that they ask."""
    state = world.state
    orders = state.orders
    late = np.maximum(state.day - orders["promised_day"], 0)
    rate = world.shop.people.contact_rate[orders["user"]]
    where, _ = laws.hazard_before_delivery(late, rate, orders["is_messaged"])
    is_open = (orders["deliver_day"] >= state.day) & ~orders["is_contacted"] & ~orders["is_messaged"]
    return pl.DataFrame({"order_id": ids("order", orders["number"][is_open & (where > _MESSAGE_FROM)])})


def _offers(world: World) -> pl.DataFrame:
    """On a campaign's first day, the users whose extra orders are worth more than the coupons they would redeem."""
    shop, state = world.shop, world.state
    campaign = campaign_of_day(shop.seed, state.day)
    user = np.zeros(0, np.int64)
    if campaign is not None and campaign.first_day == state.day:
        visits, orders_each = usual_order_chance(shop, state)
        orders = visits * orders_each * CAMPAIGN_DAYS
        love = shop.people.deal_love
        redeems = np.minimum(orders * _COVERED_SHARE, 1) * (0.35 + 0.6 * love)
        gain = orders * 0.9 * love * _BASKET_MARGIN_CENTS - redeems * COUPON_CENTS
        user = np.flatnonzero((gain > 0) & state.has_consent & ~state.is_erased)
    running = campaign.campaign_id if campaign else ""
    return pl.DataFrame({"user_id": ids("user", user)}).with_columns(campaign_id=pl.lit(running))
