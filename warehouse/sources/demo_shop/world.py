"""A demo shop that lives day by day, with a truth that nobody who learns from it may see."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import chances, entities, expectation, lifecycle
from warehouse.sources.demo_shop.day import live_day
from warehouse.sources.demo_shop.decisions import Decisions
from warehouse.sources.demo_shop.market import open_market
from warehouse.sources.demo_shop.plan import DAYS_AHEAD, WEEK, is_known, promotions_of_week
from warehouse.sources.demo_shop.policies import rule_feeds
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.sizes import SIZES, Size
from warehouse.sources.demo_shop.state import State, empty_state

DAYS_OF_OPENING_STOCK = 14


@dataclass(frozen=True)
class Day:
    """What one day brought.

    `feeds`: feed -> the day's new and changed rows in the contract's columns; a changed row has the key of the row it
    replaces. `truth`: name -> rows that the shop's systems cannot know. `ledger`: the day's money (EUR) and service.
    """

    date: date
    feeds: dict[str, pl.DataFrame]
    truth: dict[str, pl.DataFrame]
    ledger: dict[str, float]


class World:
    """The shop. `today` is the day that `live` lives next."""

    def __init__(self, shop: Shop, state: State) -> None:
        self.shop, self.state = shop, state

    @classmethod
    def create(cls, size: Size, seed: int) -> World:
        """The shop on the morning of its first day. The same size and seed give the same shop and the same luck."""
        shop = Shop.founded(size, seed)
        state = empty_state(shop.catalogue, size.sites)
        lifecycle.welcome(shop, state)
        world = cls(shop, state)
        world._stock_up()
        return world

    def _stock_up(self) -> None:
        """Stock of about a fortnight, and trailing means as if the shop had sold before."""
        shop, state = self.shop, self.state
        market = open_market(shop, 0, state.shelf_price, state.list_price)
        expected = expectation.expected_demand(shop, state, market)
        state.usual_orders = expectation.expected_orders(shop, state, market)
        # A product that is launched later starts like the median one.
        rate = np.where(shop.catalogue.is_sold(0), expected, np.median(expected, axis=1, keepdims=True))
        state.sales_rate = rate.astype(np.float32)
        lead = shop.catalogue.suppliers.planned_days[shop.catalogue.supplier]
        stock = np.ceil(rate * (DAYS_OF_OPENING_STOCK + lead) + 1)
        state.on_hand = np.where(shop.catalogue.is_sold(0), stock, 0).astype(np.int32)

    @property
    def today(self) -> date:
        """The day that `live` lives next."""
        return self.shop.size.first_day + timedelta(days=self.state.day)

    def opening(self) -> dict[str, pl.DataFrame]:
        """Feed -> rows that exist before the first day; call it before `live`."""
        shop, state = self.shop, self.state
        sold = np.flatnonzero(shop.catalogue.is_sold(-1))
        known = np.flatnonzero(is_known(shop.catalogue, -1))
        planned = [
            entities.promotions(shop, promotions_of_week(shop.catalogue, shop.seed, week))
            for week in range(DAYS_AHEAD // WEEK)
        ]
        return {
            "sites": entities.sites(shop),
            "suppliers": entities.suppliers(shop),
            "supplier_products": entities.supplier_products(shop, known),
            "users": entities.users(shop, state, np.arange(shop.people.size)),
            "products": entities.products(shop, known, state.list_price, -1),
            "price_changes": entities.price_rows(
                shop, sold, state.price_since[sold], state.shelf_price[sold], state.list_price[sold]
            ),
            "promotions": pl.concat([week["promotions"] for week in planned]),
            "promotion_products": pl.concat([week["promotion_products"] for week in planned]),
            **rule_feeds(shop.size, shop.catalogue),
        }

    def live(self, decisions: Decisions | None = None) -> Day:
        """Live today under the decisions and move on to tomorrow; DecisionError, and nothing lived, when they name
        what the shop does not know."""
        today = self.today
        self.shop, brought = live_day(self.shop, self.state, decisions or Decisions())
        self.state.day += 1
        return Day(today, brought.feeds, brought.truth, brought.ledger)

    def truth(self) -> dict[str, pl.DataFrame]:
        """name -> what is true of the shop's entities so far: products, users, suppliers."""
        return expectation.entities(self.shop, self.state)

    def order_chances(self, horizon_days: int = 28) -> pl.DataFrame:
        """One row per order of the last 14 days without a ticket so far: order_id, contact_probability and
        return_probability within the horizon, given what can be known this morning."""
        return chances.order_chances(self.shop, self.state, horizon_days)

    def purchase_chances(self, horizon_days: int = 28) -> pl.DataFrame:
        """One row per user: user_id and purchase_probability, of an order within the horizon."""
        return chances.purchase_chances(self.shop, self.state, horizon_days)

    def expected_demand(self, prices: pl.DataFrame | None = None, days_ahead: int = 0) -> pl.DataFrame:
        """One row per product on sale and site: product_id, site_id and the expected_units of a day to come, whoever
        visits and as if all were in stock; at `prices` (product_id, price), elsewhere at those planned."""
        return expectation.demand_rows(self.shop, self.state, prices, self.state.day + days_ahead)

    def save(self, folder: Path) -> None:
        """Write the world's state, all or nothing; a world loaded from it lives on exactly as this one."""
        size = self.shop.size
        about: dict[str, str | int] = {
            "size": size.name,
            "users": size.users,
            "products": size.products,
            "seed": self.shop.seed,
        }
        self.state.save(folder, about)

    @classmethod
    def load(cls, folder: Path) -> World:
        """The world that was saved there; FileNotFoundError when there is none."""
        state, about = State.load(folder)
        # What was saved before shops could have numbers of their own has those of its size.
        named = SIZES[str(about["size"])]
        users, products = (int(about.get(what, getattr(named, what))) for what in ("users", "products"))
        shop = Shop.founded(replace(named, users=users, products=products), int(about["seed"]), state.day)
        return cls(shop, state)
