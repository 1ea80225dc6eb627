"""Users, products, suppliers, prices, promotions and campaigns as the feeds show them."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop.arrays import Flags, Ints
from warehouse.sources.demo_shop.assortment import DEPARTMENT_NAMES, SUBCATEGORIES
from warehouse.sources.demo_shop.names import A_DAY, CURRENCY, UNKNOWN, always, ids, moments, money, prefixed, words
from warehouse.sources.demo_shop.orders import PROMOTIONS_A_WEEK
from warehouse.sources.demo_shop.people import ACQUISITION_CHANNELS, AGE_BANDS, INCOME_BANDS, users_by
from warehouse.sources.demo_shop.plan import (
    CAMPAIGN_DAYS,
    COUPON_CENTS,
    DAYS_AHEAD,
    DEPTHS,
    NO_PROMOTION,
    WEEK,
    Campaign,
    Promotions,
)
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import State

REGIONS = ("north", "south", "east", "west")
_DISPLAY_CHANNEL, _PRICE_CHANNEL = "display", "web"
KNOWN_BEFORE_DAYS = 700


def users(shop: Shop, state: State, number: Ints, erased_today: Flags | None = None) -> pl.DataFrame:
    """These users as they stand. `erased_today`: which of them asked for erasure today."""
    people, luck = shop.people, shop.luck(-1)
    arrival = _arrival_second(shop, number)
    power = people.power[number] + 0.7 * luck.normal("income", number)
    erased = np.zeros(len(number), bool) if erased_today is None else erased_today
    return pl.DataFrame(
        {
            "user_id": ids("user", number),
            "created_at": moments(arrival),
            "country": always("DE", len(number)),
            "region": words(REGIONS, people.site[number] % len(REGIONS)),
            "acquisition_channel": words(ACQUISITION_CHANNELS, luck.uniform("acquisition", number) * 4),
            "age_band": words(AGE_BANDS, people.age[number]),
            "gender": words(("female", "male", "diverse"), luck.uniform("gender", number) * 2.02),
            "income_band": words(INCOME_BANDS, np.clip(power * 1.1 + 2.5, 0, 4.9)),
            "household_size": people.household_size[number].astype(np.float64),
            "has_marketing_consent": state.has_consent[number],
            "erased_at": moments(np.where(erased, state.day * A_DAY + 12 * 3600, UNKNOWN)),
        }
    )


def _arrival_second(shop: Shop, number: Ints) -> Ints:
    """When a user was first known: before the first visit, on the day of arrival or within the two years before."""
    luck = shop.luck(-1)
    first, each_day = users_by(shop.size, -1), (shop.size.users - users_by(shop.size, -1)) / shop.size.days
    arrived = np.searchsorted(_users_by_day(shop, first, each_day, number), number, side="right")
    before = -1 - (luck.uniform("known since", number) * KNOWN_BEFORE_DAYS).astype(np.int64)
    second = (luck.uniform("arrival", number) * 3600).astype(np.int64) + 5 * 3600
    return np.where(number < first, before, arrived) * A_DAY + second


def _users_by_day(shop: Shop, first: int, each_day: float, number: Ints) -> Ints:
    last_day = 0 if each_day == 0 else int((number.max(initial=0) - first) / each_day) + 2
    return np.array([users_by(shop.size, day) for day in range(max(last_day, 1))])


def products(shop: Shop, number: Ints, list_price: Ints, day: int) -> pl.DataFrame:
    """These products as they stand that day; `list_price` (P,) in cents."""
    catalogue = shop.catalogue
    category = words(DEPARTMENT_NAMES, catalogue.department[number])
    subcategory = words(SUBCATEGORIES, catalogue.subcategory[number])
    brand = ids("brand", catalogue.brand[number])
    launch, end = catalogue.launch_day[number].astype(np.int64), catalogue.end_day[number].astype(np.int64)
    return pl.DataFrame(
        {
            "product_id": ids("product", number),
            "product_title": subcategory + " " + brand + " no. " + pl.Series(number).cast(pl.String),
            "brand": brand,
            "category": category,
            "category_path": category + " > " + subcategory,
            "supplier_id": ids("supplier", catalogue.supplier[number]),
            "list_price": money(list_price[number]),
            "unit_cost": money(catalogue.unit_cost[number]),
            "currency": always(CURRENCY, len(number)),
            "launched_at": moments(np.where(launch < 0, -300, launch) * A_DAY),
            # The end is known on the day before it.
            "discontinued_at": moments(np.where(end <= day + 1, end * A_DAY, UNKNOWN)),
            "is_recommendable": np.ones(len(number), bool),
            "is_price_locked": catalogue.is_price_locked[number],
        }
    )


def sites(shop: Shop) -> pl.DataFrame:
    """Every site."""
    number = np.arange(shop.size.sites)
    return pl.DataFrame(
        {
            "site_id": ids("site", number),
            "site_type": always("warehouse", len(number)),
            "region": words(REGIONS, number % len(REGIONS)),
        }
    )


def suppliers(shop: Shop) -> pl.DataFrame:
    """Every supplier."""
    number = np.arange(shop.size.suppliers)
    return pl.DataFrame(
        {
            "supplier_id": ids("supplier", number),
            "supplier_name": prefixed("Supplier ", pl.Series(number).cast(pl.String)),
            "region": words(("DE", "NL", "PL", "CN"), shop.luck(-1).uniform("supplier region", number) * 4),
        }
    )


def supplier_products(shop: Shop, number: Ints) -> pl.DataFrame:
    """What the suppliers of these products ask for."""
    catalogue, terms, supplier = shop.catalogue, shop.catalogue.suppliers, shop.catalogue.supplier[number]
    return pl.DataFrame(
        {
            "supplier_id": ids("supplier", supplier),
            "product_id": ids("product", number),
            "unit_cost": money(catalogue.unit_cost[number]),
            "minimum_order_units": terms.minimum_units[supplier].astype(np.float64),
            "order_multiple_units": catalogue.order_multiple[number].astype(np.float64),
            "planned_lead_time_days": terms.planned_days[supplier].astype(np.float64),
        }
    )


def price_rows(
    shop: Shop, number: Ints, since: Ints, price: Ints, list_price: Ints, until: int | None = None
) -> pl.DataFrame:
    """Prices of these products, valid from the midnight of day `since` until that of day `until`; (n,) each."""
    end = UNKNOWN if until is None else until * A_DAY
    return pl.DataFrame(
        {
            "product_id": ids("product", number),
            "valid_from": moments(np.asarray(since, np.int64) * A_DAY),
            "valid_to": moments(np.full(len(number), end)),
            "price": money(price),
            "list_price": money(list_price),
        }
    )


def promotions(shop: Shop, plan: Promotions) -> dict[str, pl.DataFrame]:
    """A week's promotions and their products."""
    start = plan.week * WEEK
    product = np.flatnonzero(plan.number != NO_PROMOTION)
    of_product = plan.week * PROMOTIONS_A_WEEK + plan.number[product].astype(np.int64)
    number = np.unique(of_product)
    within = number % PROMOTIONS_A_WEEK
    depth, is_displayed = DEPTHS[within // 2].astype(np.float64), within % 2 == 1
    return {
        "promotions": pl.DataFrame(
            {
                "promotion_id": ids("promotion", number),
                "announced_at": moments(np.full(len(number), (start - DAYS_AHEAD) * A_DAY + 8 * 3600)),
                "starts_at": moments(np.full(len(number), start * A_DAY)),
                "ends_at": moments(np.full(len(number), (start + WEEK) * A_DAY)),
                "discount_type": np.where(depth > 0, "percent", "placement"),
                "discount_value": np.round(100 * depth, 0),
                "channel": np.where(is_displayed, _DISPLAY_CHANNEL, _PRICE_CHANNEL),
                "placement": np.where(is_displayed, "front page", "price tag"),
            }
        ),
        "promotion_products": pl.DataFrame(
            {
                "promotion_id": ids("promotion", of_product),
                "product_id": ids("product", product),
                "site_ids": pl.Series([None] * len(product), dtype=pl.List(pl.String)),
            }
        ),
    }


def campaigns(shop: Shop, campaign: Campaign) -> dict[str, pl.DataFrame]:
    """A campaign and the products that its coupon covers: those of its department that are sold when it begins."""
    start = campaign.first_day
    covered = np.flatnonzero((shop.catalogue.department == campaign.department) & shop.catalogue.is_sold(start))
    return {
        "campaigns": pl.DataFrame(
            {
                "campaign_id": [campaign.campaign_id],
                "campaign_type": [DEPARTMENT_NAMES[campaign.department]],
                "starts_at": moments(np.array([start * A_DAY])),
                "ends_at": moments(np.array([(start + CAMPAIGN_DAYS) * A_DAY])),
                "discount_value": [COUPON_CENTS / 100],
                "coupon_count": pl.Series([1], dtype=pl.Int64),
            }
        ),
        "campaign_products": pl.DataFrame(
            {
                "campaign_id": always(campaign.campaign_id, len(covered)),
                "product_id": ids("product", covered),
            }
        ),
    }
