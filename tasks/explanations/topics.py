"""What features are about, as data: a line says which topic a feature belongs to and how it is quoted.

Features of one topic say much the same (spend in 28 days, in 56, in 84), and how a model splits the credit among them
means little. So they are credited together, and the one with the largest part speaks for all.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from mtl_models.attribute import CONTEXT, ID, Feature

# place, pattern of the column, topic, and what is said: {value} is a number or word, {percent} one of a share, {money}
# an amount, {0} what the pattern caught. The first line that fits counts. Each is a noun in the singular.
LINES = (
    ("user", r"recency_days", "last order", "the last order {value} days ago"),
    ("user", r"recency_over_gap|mean_age_days", "last order", "the time since the last order, against the usual gap,"),
    ("user", r"order_days_(\d+)d", "orders", "ordering on {value} of the last {0} days"),
    ("user", r"order_days.*|orders|gap_.*", "orders", "the usual rhythm of orders"),
    ("user", r"spend_(\d+)d", "spend", "spending {money} in the last {0} days"),
    ("user", r"spend.*", "spend", "the usual spend"),
    ("user", r"lines_(\d+)d", "basket", "buying {value} items in the last {0} days"),
    ("user", r"lines_mean|products|subcategories|new_products.*", "basket", "the usual basket"),
    ("user", r"discount.*|coupon.*", "discounts", "the share that is bought at a discount"),
    ("user", r"visit_days_(\d+)d", "visits", "visiting on {value} of the last {0} days"),
    ("user", r"visit_recency_days", "visits", "the last visit {value} days ago"),
    ("user", r"views.*|searches.*|cart_adds.*|.*visit.*", "visits", "what is looked at and put into the cart"),
    ("user", r".*day_share", "weekday", "the usual weekday of orders"),
    ("user", r"tenure_days", "tenure", "being a customer for {value} days"),
    ("user", r"region|country", "region", "living in {value}"),
    ("user", ID, "user", "what is known of this very user"),
    ("product", r"(units|lines)_(\d+)d", "sales", "selling {value} {0} in {1} days"),
    ("product", r"lines|weeks_sold.*|weeks_since_last_sale|lines_trend_ratio", "sales", "how steadily it sells"),
    ("product", r"users|new_users.*|repeat_ratio|lines_per_user", "buyers", "how many buy it, and how often"),
    ("product", r"price|list_price", "price", "the price of {money}"),
    ("product", r"price_over_subcategory", "price", "the price against similar products"),
    ("product", r"discounted_share.*", "discounts", "selling {percent} at a discount"),
    ("product", r"discount_depth", "discounts", "the usual depth of discounts"),
    ("product", r"weeks_since_first_sale", "age", "being on sale for {value} weeks"),
    ("product", r"units_per_line", "units per purchase", "selling {value} units per purchase"),
    ("product", r"(category|subcategory|brand)", "kind", "the {0} {value}"),
    ("product", r"supplier_id", "supplier", "the supplier {value}"),
    ("product", ID, "product", "what is known of this very product"),
    ("site", r".*", "site", "the store"),
    ("calendar", r".*", "season", "the season"),
    ("history", r".*_trend_ratio", "trend", "the trend of its category and of the shop"),
    ("history", r"sd_.*|variance.*|zero_share.*|max_.*", "swings", "how much its sales swing"),
    ("history", r"weeks_live", "age", "being on sale for {value} weeks"),
    ("history", r".*", "recent sales", "the course of sales in recent weeks"),
    (CONTEXT, r".*(promotion|display|mailer).*", "promotions", "the promotion plan"),
    (CONTEXT, r"horizon", "horizon", "how far ahead it lies"),
    (CONTEXT, r".*redeem.*|redemption.*|.*targets", "redemptions", "what was redeemed of earlier offers"),
    (CONTEXT, r"campaign_product.*", "campaign products", "what was bought of the campaign's products"),
    (CONTEXT, r"campaign_users|coupon_count|is_kind_.*", "campaign", "the kind and size of the campaign"),
    (CONTEXT, r"days_left", "days left", "a campaign that runs {value} days more"),
    (CONTEXT, r"days_late", "lateness", "a delay of {value} days"),
    (CONTEXT, r"is_overdue|promised_days", "lateness", "the promised delivery date"),
    (CONTEXT, r"age_days", "parcel", "the order having been placed {value} days ago"),
    (CONTEXT, r"is_shipped|is_delivered|days_since_.*", "parcel", "how far the parcel has come"),
    (CONTEXT, r"product_(contact|return|rating).*", "complaints", "what customers say of these products"),
    (CONTEXT, r"user_(contact|return).*|contacts.*", "contacts", "how often this customer gets in touch"),
    (CONTEXT, r"site_.*", "warehouse", "how punctual the warehouse is these weeks"),
    (CONTEXT, r"spend|lines|units|discount_share|is_first_order", "order", "what was ordered"),
    (CONTEXT, r"hours_to_solve", "time left", "having {value} hours left to solve it"),
    (
        CONTEXT,
        r"age_hours|created_hour|is_weekend|hours_to_answer",
        "time left",
        "the time it came and the hours since",
    ),
    (CONTEXT, r".*_minutes|reason_missed_ratio", "kind", "what such questions usually take"),
    (CONTEXT, r"open_tickets.*|tickets_per_day", "load", "how much is waiting"),
    (CONTEXT, r"is_about_order|order_.*", "order", "the order that it is about"),
    (CONTEXT, r"baskets", "own purchases", "having been bought {value} times before"),
    (CONTEXT, r"recency.*|.*baskets.*|gap_.*|decayed_.*", "own purchases", "when and how often it was bought before"),
    (CONTEXT, r"subcategory.*|category_path.*", "category", "what else is bought of its category"),
    (CONTEXT, r".*popularity.*|product_.*|log_product_.*", "popularity", "how popular it is"),
)


@dataclass(frozen=True)
class Saying:
    """How one feature is quoted, and the topic that it is credited with."""

    topic: str
    words: str


def saying_of(feature: Feature) -> Saying:
    """The line of the feature; one that no line knows is its own topic, in plain words."""
    place, column = feature
    name = column.removeprefix("ctx_")
    for its_place, pattern, topic, words in LINES:
        found = re.fullmatch(pattern, name) if its_place == place else None
        if found:
            return Saying(f"{place} {topic}", _fill(words, found.groups()))
    whose = "" if place == CONTEXT else f"the {place}'s "
    plain = re.sub(r" (\d+)d$", r" in \1 days", name.replace("_", " "))
    return Saying(f"{place} {name}", f"{whose}{plain} of {{value}}")


def _fill(words: str, caught: Sequence[str]) -> str:
    for place, value in enumerate(caught):
        words = words.replace(f"{{{place}}}", value or "")
    return words
