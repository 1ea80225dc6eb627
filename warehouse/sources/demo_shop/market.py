"""What a day's shoppers find: prices, what is on sale, what the front page shows. (P,) each; money in cents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time

import numpy as np

from warehouse.sources.demo_shop.arrays import Flags, Floats, Ints
from warehouse.sources.demo_shop.assortment import DEPARTMENTS
from warehouse.sources.demo_shop.plan import WEEK, Promotions, promotions_of_week
from warehouse.sources.demo_shop.shop import Shop

APPEAL, QUALITY, TIER = 0.35, 0.2, 0.25
DISPLAY = 0.15
# Dear products are bought less often, whatever they are.
DEARNESS, USUAL_CENTS = 0.9, 900


@dataclass(frozen=True, kw_only=True)
class Market:
    """`attraction`: utility for everybody without the price. `log_price`: shelf price over the product's usual regular
    price. `tier`: how dear it is for its department, log. `search_reach`: cumulated chance to be found by a search, in
    the order of the products. `displayed`: numbers of the products on the front page."""

    day: int
    shelf_price: Ints
    list_price: Ints
    promotions: Promotions
    is_sold: Flags
    attraction: Floats
    log_price: Floats
    tier: Floats
    search_reach: Floats
    displayed: Ints


def open_market(shop: Shop, day: int, shelf_price: Ints, list_price: Ints) -> Market:
    """The market of that day at those prices."""
    catalogue = shop.catalogue
    promotions = promotions_of_week(catalogue, shop.seed, day // WEEK)
    is_sold = catalogue.is_sold(day)
    usual = np.array([department.price for department in DEPARTMENTS], np.float32)[catalogue.department] * 100
    season = catalogue.season(day, datetime.combine(shop.size.first_day, time()))
    is_displayed = promotions.is_displayed & is_sold
    return Market(
        day=day,
        shelf_price=shelf_price,
        list_price=list_price,
        promotions=promotions,
        is_sold=is_sold,
        attraction=(
            APPEAL * catalogue.appeal
            + QUALITY * catalogue.quality
            + season
            + DISPLAY * is_displayed
            - DEARNESS * np.log(catalogue.regular_price / USUAL_CENTS)
        ).astype(np.float32),
        log_price=np.log(shelf_price / catalogue.regular_price).astype(np.float32),
        tier=TIER * np.log(catalogue.regular_price / usual).astype(np.float32),
        search_reach=np.cumsum(is_sold * np.exp(0.8 * catalogue.appeal), dtype=np.float64),
        displayed=np.flatnonzero(is_displayed).astype(np.int32),
    )
