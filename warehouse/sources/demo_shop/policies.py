"""The demo shop's business policy: the rule feeds."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop.service import ANSWER_WITHIN_MINUTES
from warehouse.sources.demo_shop.sizes import Size

MINIMUM_MARGIN_RATIO, MAXIMUM_CHANGE_RATIO = 0.15, 0.08
# Prices end with 9 cents.
PRICE_ENDINGS = tuple(round(ending, 2) for ending in np.arange(0.09, 1.0, 0.1))
SERVICE_LEVEL = 0.95
LEAST_STAFF_OCCUPANCY = 0.85


def rule_feeds(size: Size) -> dict[str, pl.DataFrame]:
    """Feed -> rules, all valid from the first day."""
    endings = ",".join(f"{ending:.2f}".removeprefix("0") for ending in PRICE_ENDINGS)
    scope = {"scope": "all", "scope_id": None, "valid_from": size.first_day, "valid_to": None}
    return {
        "pricing_rules": pl.DataFrame(
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
        ),
        "recommendation_rules": pl.DataFrame(
            [{"rule_id": "variety", **scope, "action": "cap", "placement": None, "weight": 3.0}],
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
                }
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
                    "maximum_occupancy_ratio": LEAST_STAFF_OCCUPANCY,
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


_SCOPE = {"scope_id": pl.String, "valid_to": pl.Date}
