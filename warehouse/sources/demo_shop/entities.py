"""Users, products, suppliers, prices, promotions and campaigns as the feeds show them."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.sources.demo_shop.assortment import DEPARTMENTS, SUBCATEGORIES
from warehouse.sources.demo_shop.catalogue import NEVER
from warehouse.sources.demo_shop.feeds import A_DAY, UNKNOWN, promotion_ids
from warehouse.sources.demo_shop.names import CURRENCY, ids, moments, money
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

Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]

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
            "created_at": moments(shop.size, arrival),
            "country": pl.repeat("DE", len(number), eager=True),
            "region": _word(REGIONS, people.site[number] % len(REGIONS)),
            "acquisition_channel": _word(ACQUISITION_CHANNELS, luck.uniform("acquisition", number) * 4),
            "age_band": _word(AGE_BANDS, people.age[number]),
            "gender": _word(("female", "male", "diverse"), luck.uniform("gender", number) * 2.02),
            "income_band": _word(INCOME_BANDS, np.clip(power * 1.1 + 2.5, 0, 4.9)),
            "household_size": people.household_size[number].astype(np.float64),
            "has_marketing_consent": state.has_consent[number],
            "erased_at": moments(shop.size, np.where(erased, state.day * A_DAY + 12 * 3600, UNKNOWN)),
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
    department, subcategory = catalogue.department[number], catalogue.subcategory[number]
    names = pl.DataFrame(
        {
            "category": _word([each.name for each in DEPARTMENTS], department),
            "subcategory": _word(SUBCATEGORIES, subcategory),
            "brand": ids("brand", catalogue.brand[number]),
            "number": number,
        }
    )
    launch, end = catalogue.launch_day[number].astype(np.int64), catalogue.end_day[number].astype(np.int64)
    known_end = (end < NEVER) & (end <= day + 1)
    return names.select(
        ids("product", number).alias("product_id"),
        pl.format("{} {} no. {}", "subcategory", "brand", "number").alias("product_title"),
        "brand",
        "category",
        pl.format("{} > {}", "category", "subcategory").alias("category_path"),
        ids("supplier", catalogue.supplier[number]).alias("supplier_id"),
        money(list_price[number]).alias("list_price"),
        money(catalogue.unit_cost[number]).alias("unit_cost"),
        pl.lit(CURRENCY).alias("currency"),
        moments(shop.size, np.where(launch < 0, -300, launch) * A_DAY).alias("launched_at"),
        moments(shop.size, np.where(known_end, end * A_DAY, UNKNOWN)).alias("discontinued_at"),
        pl.lit(True).alias("is_recommendable"),
        pl.Series("is_price_locked", catalogue.is_price_locked[number]),
    )


def sites(shop: Shop) -> pl.DataFrame:
    """Every site."""
    number = np.arange(shop.size.sites)
    return pl.DataFrame(
        {
            "site_id": ids("site", number),
            "site_type": pl.repeat("warehouse", len(number), eager=True),
            "region": _word(REGIONS, number % len(REGIONS)),
        }
    )


def suppliers(shop: Shop) -> pl.DataFrame:
    """Every supplier."""
    number = np.arange(shop.size.suppliers)
    return pl.DataFrame(
        {
            "supplier_id": ids("supplier", number),
            "supplier_name": pl.DataFrame({"number": number}).select(pl.format("Supplier {}", "number")).to_series(),
            "region": _word(("DE", "NL", "PL", "CN"), shop.luck(-1).uniform("supplier region", number) * 4),
        }
    )


def supplier_products(shop: Shop) -> pl.DataFrame:
    """What each product's supplier asks for."""
    catalogue, terms = shop.catalogue, shop.catalogue.suppliers
    return pl.DataFrame(
        {
            "supplier_id": ids("supplier", catalogue.supplier),
            "product_id": ids("product", np.arange(catalogue.size)),
            "unit_cost": money(catalogue.unit_cost),
            "minimum_order_units": terms.minimum_units[catalogue.supplier].astype(np.float64),
            "order_multiple_units": catalogue.order_multiple.astype(np.float64),
            "planned_lead_time_days": terms.planned_days[catalogue.supplier].astype(np.float64),
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
            "valid_from": moments(shop.size, np.asarray(since, np.int64) * A_DAY),
            "valid_to": moments(shop.size, np.full(len(number), end)),
            "price": money(price),
            "list_price": money(list_price),
        }
    )


def promotions(shop: Shop, plan: Promotions) -> dict[str, pl.DataFrame]:
    """A week's promotions and their products."""
    product = np.flatnonzero(plan.number != NO_PROMOTION)
    of_product = plan.week * PROMOTIONS_A_WEEK + plan.number[product].astype(np.int64)
    number = np.unique(of_product)
    within, start = number % PROMOTIONS_A_WEEK, plan.week * WEEK
    depth, is_displayed = DEPTHS[within // 2].astype(np.float64), within % 2 == 1
    return {
        "promotions": pl.DataFrame(
            {
                "promotion_id": promotion_ids(number),
                "announced_at": moments(shop.size, np.full(len(number), (start - DAYS_AHEAD) * A_DAY + 8 * 3600)),
                "starts_at": moments(shop.size, np.full(len(number), start * A_DAY)),
                "ends_at": moments(shop.size, np.full(len(number), (start + WEEK) * A_DAY)),
                "discount_type": np.where(depth > 0, "percent", "placement"),
                "discount_value": np.round(100 * depth, 0),
                "channel": np.where(is_displayed, _DISPLAY_CHANNEL, _PRICE_CHANNEL),
                "placement": np.where(is_displayed, "front page", "price tag"),
            }
        ),
        "promotion_products": pl.DataFrame(
            {
                "promotion_id": promotion_ids(of_product),
                "product_id": ids("product", product),
                "site_ids": pl.Series([None] * len(product), dtype=pl.List(pl.String)),
            }
        ),
    }


def campaigns(shop: Shop, campaign: Campaign) -> dict[str, pl.DataFrame]:
    """A campaign and the products that its coupon covers."""
    start, covered = campaign.first_day, np.flatnonzero(shop.catalogue.department == campaign.department)
    return {
        "campaigns": pl.DataFrame(
            {
                "campaign_id": [campaign.campaign_id],
                "campaign_type": [DEPARTMENTS[campaign.department].name],
                "starts_at": moments(shop.size, np.array([start * A_DAY])),
                "ends_at": moments(shop.size, np.array([(start + CAMPAIGN_DAYS) * A_DAY])),
                "discount_value": [COUPON_CENTS / 100],
                "coupon_count": pl.Series([1], dtype=pl.Int64),
            }
        ),
        "campaign_products": pl.DataFrame(
            {
                "campaign_id": pl.repeat(campaign.campaign_id, len(covered), eager=True),
                "product_id": ids("product", covered),
            }
        ),
    }


def _word(words: tuple[str, ...] | list[str], number: NDArray[np.generic]) -> pl.Series:
    return pl.Series(words).gather(np.asarray(number).astype(np.uint32))
