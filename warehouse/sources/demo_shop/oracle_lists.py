"""The lists of somebody who knows everybody's taste. Shapes: n users, C candidates, S staples."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.decisions import EVERYONE
from warehouse.sources.demo_shop.market import Market
from warehouse.sources.demo_shop.names import ids
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import listing_gain, staple_gain
from warehouse.sources.demo_shop.state import LIST_POSITIONS, SHARED_POSITIONS, State

# So many products, the best for a user of average taste, are compared for everybody.
CANDIDATES = 300
_PORTION = 20_000
# A product must last for a few more days to be shown.
_STOCK_DAYS = 3


def best_lists(shop: Shop, state: State, market: Market) -> pl.DataFrame:
    """user_id, rank, product_id: of each user the products that showing brings most margin, and everyone's best."""
    margin = np.maximum(market.shelf_price - shop.catalogue.unit_cost, 0) * shop.catalogue.expected_units
    margin = margin * market.is_sold
    is_there = state.on_hand > _STOCK_DAYS * state.sales_rate
    value = np.exp(market.attraction - shop.catalogue.sensitivity * market.log_price) * margin * is_there.any(axis=0)
    candidates = np.argsort(-value, kind="stable")[:CANDIDATES]
    starts = range(0, shop.people.size, _PORTION)
    users = [np.arange(start, min(start + _PORTION, shop.people.size)) for start in starts]
    frames = [_own_lists(shop, state, market, user, candidates, margin, is_there) for user in users]
    shared = candidates[:SHARED_POSITIONS]
    rank = np.arange(1, len(shared) + 1)
    everyone = pl.DataFrame({"rank": rank, "product_id": ids("product", shared)})
    return pl.concat([*frames, everyone.select(pl.lit(EVERYONE).alias("user_id"), "rank", "product_id")])


def _own_lists(
    shop: Shop, state: State, market: Market, user: Ints, candidates: Ints, margin: Floats, is_there: Flags
) -> pl.DataFrame:
    site, staples = shop.people.site[user][:, None], shop.people.staples[user]
    new = listing_gain(shop, market, user, candidates) * margin[candidates] * is_there[site, candidates]
    # What somebody buys anyway is judged as a staple.
    own = (candidates[None, :, None] == staples[:, None, :]).any(axis=2)
    again = staple_gain(shop, state, market, user) * margin[staples] * is_there[site, staples]
    gain = np.concatenate([np.where(own, 0, new), again], axis=1)
    product = np.concatenate([np.broadcast_to(candidates, new.shape), staples], axis=1)
    best = np.argsort(-gain, axis=1, kind="stable")[:, :LIST_POSITIONS]
    chosen = np.take_along_axis(product, best, axis=1)
    return pl.DataFrame(
        {
            "user_id": ids("user", np.repeat(user, LIST_POSITIONS)),
            "rank": np.tile(np.arange(1, LIST_POSITIONS + 1), len(user)),
            "product_id": ids("product", chosen.reshape(-1)),
        }
    )
