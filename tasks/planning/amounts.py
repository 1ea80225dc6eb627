"""How much each step of a night has to do, told from the size of the shop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from mtl_models.config import ModelConfig
from tasks.night import FeatureConfig
from tasks.planning.measured import MeasuredNight
from tasks.planning.shop import Shop

Amounts = Mapping[str, float]

# What the rows of a sample table grow with; those of service_days do not.
GROWS_WITH = {
    "profile": "users",
    "recommendation": "users",
    "promotion": "users",
    "product_quality": "products",
    "demand": "products",
    "service_orders": "order_lines",
    "service_tickets": "order_lines",
}


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Settings that bound what a night has to do: `model.most_rows`, `features.similarity_products`, and at how many
    cut-offs users and products are ranked."""

    most_rows: int
    similarity_products: int
    cutoffs: int


def limits_of(model: ModelConfig, features: FeatureConfig) -> Limits:
    """Those of a home's settings."""
    return Limits(
        most_rows=model.most_rows,
        similarity_products=features.similarity_products,
        # Those of serving, measuring and validating besides.
        cutoffs=3 + features.recommendation_train_cutoffs,
    )


def amounts(shop: Shop, like: MeasuredNight, limits: Limits) -> Amounts:
    """{amount: value}: `rows` of all feeds, `order_lines`, and `described`, the rows of feeds and samples together;
    samples `learned` (training and validation), `tested`, `served` and, as they are predicted in parts,
    `served_at_once`; and `similarity`, the multiplications of the item-item model. Sample tables are as dense as those
    of the night that it is `like`."""
    rows = {
        table: {fold: count * growth(table, shop, like.shop) for fold, count in folds.items()}
        for table, folds in like.samples.items()
    }
    return {
        "rows": shop.rows,
        "order_lines": shop.order_lines,
        "described": shop.rows + sum(sum(folds.values()) for folds in rows.values()),
        "learned": _of(rows, ("train", "validation"), limits.most_rows),
        "tested": _of(rows, ("test",), limits.most_rows),
        "served": _of(rows, ("serve",), None),
        "served_at_once": _of(rows, ("serve",), limits.most_rows),
        "similarity": limits.cutoffs * shop.users * min(shop.products, limits.similarity_products) ** 2,
    }


def growth(table: str, shop: Shop, like: Shop) -> float:
    """How many times as many rows a sample table has."""
    name = GROWS_WITH.get(table)
    return getattr(shop, name) / getattr(like, name) if name else 1.0


def _of(rows: Mapping[str, Mapping[str, float]], folds: tuple[str, ...], most: int | None) -> float:
    """Rows of these folds, of each table `most` at most."""
    counts = [of_fold.get(fold, 0.0) for of_fold in rows.values() for fold in folds]
    return sum(min(count, most) if most else count for count in counts)
