"""The demo shop's business policy: the rule feeds."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from warehouse.sources.demo_shop.arrays import Ints
from warehouse.sources.demo_shop.assortment import DEPARTMENT_NAMES, DEPARTMENTS
from warehouse.sources.demo_shop.catalogue import Catalogue
from warehouse.sources.demo_shop.names import always, ids, money, prefixed
from warehouse.sources.demo_shop.service import ANSWER_WITHIN_MINUTES, WAGE_CENTS_PER_HOUR
from warehouse.sources.demo_shop.sizes import Size
from warehouse.sources.demo_shop.supply import HOLDING_RATIO_PER_DAY

# A product may cost so much of its usual price at most.
CEILING_RATIO = 1.12
MINIMUM_MARGIN_RATIO, MAXIMUM_CHANGE_RATIO = 0.15, 0.08
# Prices end with 9 cents.
PRICE_ENDINGS = tuple(round(ending, 2) for ending in np.arange(0.09, 1.0, 0.1))
SERVICE_LEVEL, PERISHABLE_SERVICE_LEVEL = 0.95, 0.8
# A line of an order and its part of the order's fixed cost, EUR, when some twenty lines go out together.
ORDER_LINE_COST = 0.55
# What of fresh food is not sold soon is thrown away in the end.
PERISHABLE_HOLDING_RATIO = 4.0
MAXIMUM_OCCUPANCY_RATIO = 0.85


def price_ceilings(catalogue: Catalogue) -> Ints:
    """(P,) the highest price that the shop wants to ask, cents."""
    return np.floor(catalogue.regular_price * CEILING_RATIO).astype(np.int64)


def rule_feeds(size: Size, catalogue: Catalogue) -> dict[str, pl.DataFrame]:
    """Feed -> rules, all valid from the first day."""
    endings = ",".join(f"{ending:.2f}".removeprefix("0") for ending in PRICE_ENDINGS)
    scope: dict[str, Any] = {"scope": "all", "scope_id": None, "valid_from": size.first_day, "valid_to": None}
    every_price = pl.DataFrame(
        [
            {
                "rule_id": "every_price",
                **scope,
                "minimum_margin_ratio": MINIMUM_MARGIN_RATIO,
                "maximum_change_ratio": MAXIMUM_CHANGE_RATIO,
                "price_endings": endings,
            }
        ],
        schema_overrides=_SCOPE,
    )
    return {
        "pricing_rules": pl.concat([every_price, _ceilings(size, catalogue)], how="diagonal"),
        "recommendation_rules": pl.DataFrame(
            [
                {
                    "rule_id": f"variety_{department.lower()}",
                    **scope,
                    "scope": "category",
                    "scope_id": department,
                    "action": "cap",
                    "placement": None,
                    "weight": 8.0,
                }
                for department in DEPARTMENT_NAMES
            ],
            schema_overrides=_SCOPE | {"placement": pl.String},
        ),
        "inventory_policies": pl.DataFrame(
            [
                {
                    "rule_id": "every_product",
                    **scope,
                    "service_level": SERVICE_LEVEL,
                    "review_days": 1.0,
                    "maximum_cover_days": 60.0,
                    "order_line_cost": ORDER_LINE_COST,
                    "holding_cost_ratio": round(365 * HOLDING_RATIO_PER_DAY, 3),
                },
                *(
                    {
                        "rule_id": f"perishable_{department.name.lower().replace(' ', '_')}",
                        **scope,
                        "scope": "category",
                        "scope_id": department.name,
                        "service_level": PERISHABLE_SERVICE_LEVEL,
                        "holding_cost_ratio": PERISHABLE_HOLDING_RATIO,
                    }
                    for department in DEPARTMENTS
                    if department.is_perishable
                ),
            ],
            schema_overrides=_SCOPE,
        ),
        "service_policies": pl.DataFrame(
            [
                {
                    "rule_id": "every_contact",
                    **scope,
                    "service_level": 0.9,
                    "answer_within_minutes": float(ANSWER_WITHIN_MINUTES),
                    "maximum_occupancy_ratio": MAXIMUM_OCCUPANCY_RATIO,
                    "agent_hour_cost": WAGE_CENTS_PER_HOUR / 100,
                }
            ],
            schema_overrides=_SCOPE,
        ),
        "head_priorities": pl.DataFrame(
            [
                {
                    "rule_id": f"{head}_priority",
                    "scope": "head",
                    "scope_id": head,
                    "valid_from": size.first_day,
                    "valid_to": None,
                    "weight": 1.0,
                }
                for head in ("profile", "recommendation", "pricing", "supply", "service")
            ],
            schema_overrides=_SCOPE,
        ),
    }


def _ceilings(size: Size, catalogue: Catalogue) -> pl.DataFrame:
    product = ids("product", np.arange(catalogue.size))
    return pl.DataFrame(
        {
            "rule_id": prefixed("ceiling_", product),
            "scope": always("product", catalogue.size),
            "scope_id": product,
            "valid_from": pl.Series([size.first_day]).new_from_index(0, catalogue.size),
            "price_ceiling": money(price_ceilings(catalogue)),
        }
    )


_SCOPE = {"scope_id": pl.String, "valid_to": pl.Date}
