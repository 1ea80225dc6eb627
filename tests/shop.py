"""A small shop with known habits, written as a folder of feeds: enough for a whole night in seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl

CATEGORIES = ("bakery", "dairy", "drinks", "household")
# What somebody may write into a feed, hoping that it is run: by the database, a page, a spreadsheet, Markdown.
HOSTILE_PRODUCT = "'; DROP TABLE products; --"
HOSTILE_TITLES = (
    "<script>alert(1)</script>",
    '=HYPERLINK("http://evil.example","open me")',
    "| ![](http://evil.example/pixel) | **x** | {{ 7 * 7 }}",
)
# A word in each e-mail address of the shop's users, a column that no contract knows.
CANARY_DOMAIN = "canary-mailbox.example"


@dataclass(frozen=True)
class Shop:
    """Sizes of the shop. Days are counted from `first_day`; the night after the last one is `as_of_date`."""

    users: int = 150
    products: int = 60
    days: int = 200
    first_day: date = date(2024, 1, 1)
    has_tickets: bool = False
    seed: int = 7

    @property
    def as_of_date(self) -> date:
        return self.first_day + timedelta(days=self.days)


def write_shop(folder: Path, shop: Shop) -> Path:
    """Write every feed of the shop: entities as CSV, facts as Parquet; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    draw = np.random.default_rng(shop.seed)
    products = _products(shop, draw)
    discounts = _discounts(shop, draw)
    lines = _lines(shop, draw, products, discounts)
    orders = _orders(lines)
    _users(shop, draw).write_csv(folder / "users.csv")
    products.drop("popularity").write_csv(folder / "products.csv")
    pl.DataFrame({"site_id": ["north", "south"], "site_type": ["store"] * 2}).write_csv(folder / "sites.csv")
    orders.write_parquet(folder / "orders.parquet")
    lines.drop("user_id", "ordered_at").write_parquet(folder / "order_lines.parquet")
    _decisions(shop).write_csv(folder / "decisions.csv")
    for name, rows in (_promotions(shop, discounts) | _campaigns(shop, draw)).items():
        rows.write_parquet(folder / f"{name}.parquet")
    if shop.has_tickets:
        _tickets(orders, draw).write_parquet(folder / "service_tickets.parquet")
    return folder


def _ids(prefix: str, count: int) -> list[str]:
    return [f"{prefix}{number:04d}" for number in range(count)]


def _product_ids(shop: Shop) -> list[str]:
    """The last one is not to be trusted."""
    return [*_ids("p", shop.products - 1), HOSTILE_PRODUCT]


def _moment(shop: Shop, days: np.ndarray, hours: np.ndarray | float = 0.0) -> pl.Series:
    """UTC timestamps of days counted from the first one."""
    first = datetime.combine(shop.first_day, datetime.min.time())
    seconds = ((days + hours / 24) * 86_400).astype(np.int64)
    return pl.select(pl.lit(first) + pl.duration(seconds=pl.Series(seconds))).to_series().dt.cast_time_unit("us")


def _users(shop: Shop, draw: np.random.Generator) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "user_id": _ids("u", shop.users),
            "region": draw.choice(["coast", "hills"], shop.users),
            "age_band": draw.choice(["19-24", "25-34", "35-44", "45-54"], shop.users),
            "household_size": draw.integers(1, 5, shop.users),
            "has_marketing_consent": draw.random(shop.users) < 0.8,
            "email": [f"{name}@{CANARY_DOMAIN}" for name in _ids("u", shop.users)],
        }
    )


def _products(shop: Shop, draw: np.random.Generator) -> pl.DataFrame:
    price = np.round(np.exp(draw.normal(1.2, 0.5, shop.products))) + 0.99
    category = np.array(CATEGORIES)[np.arange(shop.products) % len(CATEGORIES)]
    return pl.DataFrame(
        {
            "product_id": _product_ids(shop),
            "product_title": [f"{_title(name, number)} {number}" for number, name in enumerate(category)],
            "brand": draw.choice(["own", "national"], shop.products),
            "category": category,
            "category_path": [f"{name} > all" for name in category],
            "list_price": price,
            "unit_cost": np.round(price * 0.6, 2),
            "currency": "EUR",
            "popularity": np.exp(draw.normal(0, 1, shop.products)),
        }
    )


def _title(category: str, number: int) -> str:
    """Of every fourth product, so that some are worth showing, one that is not to be trusted."""
    return category if number % 4 else HOSTILE_TITLES[number // 4 % len(HOSTILE_TITLES)]


def _discounts(shop: Shop, draw: np.random.Generator) -> np.ndarray:
    """[week, product]: share off the list price; most weeks none. The plan reaches four weeks beyond the last day."""
    weeks = shop.days // 7 + 5
    return draw.choice([0.0, 0.1, 0.25], (weeks, shop.products), p=[0.75, 0.15, 0.10])


def _lines(shop: Shop, draw: np.random.Generator, products: pl.DataFrame, discounts: np.ndarray) -> pl.DataFrame:
    """Each user has an own rate of visits, higher at weekends, and a favourite category; a discount of 25% nearly
    doubles what a product sells (elasticity -2)."""
    rate = draw.gamma(2.0, 0.06, shop.users)
    weekend = np.where(np.arange(shop.days) % 7 >= 5, 1.5, 0.8)
    visits = draw.random((shop.users, shop.days)) < rate[:, None] * weekend
    user, day = np.nonzero(visits)
    basket = draw.integers(1, 6, user.size)
    order = np.repeat(np.arange(user.size), basket)
    user, day = user[order], day[order]

    category = np.arange(shop.products) % len(CATEGORIES)
    favourite = draw.integers(0, len(CATEGORIES), shop.users)
    taste = np.exp(draw.normal(0, 1, (shop.users, shop.products)) + 1.5 * (favourite[:, None] == category))
    appeal = products["popularity"].to_numpy() * (1 - discounts) ** -2.0
    weight = np.cumsum(taste[user] * appeal[day // 7], axis=1)
    product = (weight < draw.random((user.size, 1)) * weight[:, -1:]).sum(axis=1)

    discount = discounts[day // 7, product]
    list_price = products["list_price"].to_numpy()[product]
    sold_price = np.round(list_price * (1 - discount), 2)
    quantity = draw.choice([1, 1, 1, 2, 3], user.size)
    frame = pl.DataFrame(
        {
            "order_line_id": np.arange(user.size).astype(str),
            "order_id": order.astype(str),
            "product_id": np.array(_product_ids(shop))[product],
            "ship_from_site_id": np.where(order % 3 == 0, "south", "north"),
            "quantity": quantity,
            "list_price": list_price,
            "sold_price": sold_price,
            "discount": np.round((list_price - sold_price) * quantity, 2),
            "line_total": np.round(sold_price * quantity, 2),
            "user_id": np.array(_ids("u", shop.users))[user],
            "ordered_at": _moment(shop, day, 8 + order % 12),
        }
    )
    # Somebody who takes the same product twice has one line with more units.
    return frame.unique(["order_id", "product_id"], keep="first", maintain_order=True)


def _orders(lines: pl.DataFrame) -> pl.DataFrame:
    return lines.group_by("order_id", maintain_order=True).agg(
        pl.first("user_id", "ordered_at"),
        status=pl.lit("completed"),
        channel=pl.lit("store"),
        currency=pl.lit("EUR"),
        subtotal=(pl.col("list_price") * pl.col("quantity")).sum().round(2),
        discount_total=pl.col("discount").sum().round(2),
        order_total=pl.col("line_total").sum().round(2),
    )


def _promotions(shop: Shop, discounts: np.ndarray) -> dict[str, pl.DataFrame]:
    """Every discount is announced four weeks ahead, one promotion a product and week."""
    week, product = np.nonzero(discounts)
    ids = [f"w{w}-p{p}" for w, p in zip(week, product, strict=True)]
    promotions = pl.DataFrame(
        {
            "promotion_id": ids,
            "announced_at": _moment(shop, week * 7 - 28),
            "starts_at": _moment(shop, week * 7),
            "ends_at": _moment(shop, week * 7 + 7),
            "discount_type": "percent",
            "discount_value": discounts[week, product] * 100,
            "channel": np.where(product % 2, "display", "mailer"),
        }
    )
    products = pl.DataFrame({"promotion_id": ids, "product_id": np.array(_product_ids(shop))[product]})
    return {"promotions": promotions, "promotion_products": products}


def _campaigns(shop: Shop, draw: np.random.Generator) -> dict[str, pl.DataFrame]:
    """One campaign every two weeks to a third of the users; a fifth of them redeems, always much the same people.
    The last one still runs at the as-of date."""
    starts = np.arange(21, shop.days + 8, 14)
    ids = _ids("c", starts.size)
    campaign, user = np.nonzero(draw.random((starts.size, shop.users)) < 1 / 3)
    keen = draw.beta(0.4, 1.6, shop.users)
    redeems = (draw.random(user.size) < keen[user]) & (starts[campaign] + 7 < shop.days)
    user_ids, campaign_ids = np.array(_ids("u", shop.users))[user], np.array(ids)[campaign]
    covered = np.arange(starts.size * 5)
    return {
        "campaigns": pl.DataFrame(
            {
                "campaign_id": ids,
                "campaign_type": "A",
                "starts_at": _moment(shop, starts),
                "ends_at": _moment(shop, starts + 21),
                "discount_value": 1.0,
                "coupon_count": 5,
            }
        ),
        "campaign_products": pl.DataFrame(
            {
                "campaign_id": np.array(ids)[covered // 5],
                "product_id": np.array(_product_ids(shop))[covered % shop.products],
            }
        ),
        "campaign_targets": pl.DataFrame({"campaign_id": campaign_ids, "user_id": user_ids}),
        "redemptions": pl.DataFrame(
            {
                "redemption_id": np.arange(redeems.sum()).astype(str),
                "campaign_id": campaign_ids[redeems],
                "user_id": user_ids[redeems],
                "redeemed_at": _moment(shop, starts[campaign[redeems]] + 5, 12.0),
            }
        ),
    }


def _tickets(orders: pl.DataFrame, draw: np.random.Generator) -> pl.DataFrame:
    """Every tenth order leads to a contact within three days, twice as often for large ones."""
    large = (orders["order_total"] > orders["order_total"].median()).to_numpy()
    asked = orders.filter(pl.Series(draw.random(orders.height) < np.where(large, 0.15, 0.07)))
    hours = draw.integers(2, 72, asked.height)
    return asked.select(
        ticket_id=pl.concat_str(pl.lit("t"), "order_id"),
        user_id="user_id",
        order_id="order_id",
        channel=pl.Series(draw.choice(["email", "phone"], asked.height)),
        contact_reason=pl.Series(draw.choice(["where_is_my_order", "damaged"], asked.height)),
        priority=pl.lit("normal"),
        status=pl.lit("solved"),
        created_at=pl.col("ordered_at") + pl.duration(hours=pl.Series(hours)),
        handle_minutes=pl.Series(np.round(draw.gamma(3, 3, asked.height), 1)),
    )


def _decisions(shop: Shop) -> pl.DataFrame:
    """What people said on the last day: 40 units of a product, another one in no list, a price accepted."""
    last_day = shop.as_of_date - timedelta(days=1)
    return pl.DataFrame(
        {
            "decision_id": ["more", "unlike", "fine"],
            "head": ["supply", "recommendation", "pricing"],
            "product_id": ["p0003", "p0005", "p0007"],
            "site_id": ["all", None, None],
            "action": ["overridden", "rejected", "accepted"],
            "value": [40.0, None, None],
            "decided_by": ["buyer-1", "buyer-1", "buyer-2"],
            "decided_at": [datetime.combine(last_day, datetime.min.time())] * 3,
            "valid_until": [shop.as_of_date + timedelta(days=30)] * 2 + [None],
        }
    )
