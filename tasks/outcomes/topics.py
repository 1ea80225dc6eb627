"""What is scored of a released night: where its rows come from, how far they look ahead, how they are measured."""

from __future__ import annotations

from dataclasses import dataclass

from mtl_models import realised
from mtl_models.realised import Measure


@dataclass(frozen=True, kw_only=True)
class Topic:
    """One query of warehouse/outcomes over the rows of one kept table.

    `days`: how far these look ahead, None as far as the labels of a night. `is_daily`: days that have passed can be
    scored before the whole window has. `ends_with_rows`: the query names each night's `window_end` itself.
    `headline`: task and metric that tell whether a night was scored. `chances`: task, what happened and its
    probability, whose bins are kept.
    """

    head: str
    kept: str
    query: str
    measure: Measure
    headline: tuple[str, str]
    days: int | None = None
    is_daily: bool = False
    ends_with_rows: bool = False
    chances: tuple[tuple[str, str, str], ...] = ()


TOPICS = (
    Topic(
        head="profile",
        kept="user_profiles",
        query="profiles",
        measure=realised.profile_28d,
        headline=("spend_28d", "mae"),
        chances=(
            ("buys_28d", "has_ordered", "order_probability_28d"),
            ("contacts_28d", "has_contacted", "contact_probability_28d"),
        ),
    ),
    Topic(
        head="profile",
        kept="user_profiles",
        query="profiles",
        measure=realised.profile_7d,
        headline=("buys_7d", "auc"),
        days=7,
        chances=(("buys_7d", "has_ordered", "order_probability_7d"),),
    ),
    Topic(
        head="profile",
        kept="user_profiles",
        query="profiles",
        measure=realised.profile_90d,
        headline=("churns_90d", "auc"),
        days=90,
    ),
    Topic(
        head="recommendation",
        kept="product_recommendations",
        query="lists",
        measure=realised.lists,
        headline=("all", "ndcg_20"),
    ),
    Topic(
        head="pricing",
        kept="demand_forecasts",
        query="weeks",
        measure=realised.price_response,
        headline=("price_response", "wape_seen"),
        is_daily=True,
    ),
    Topic(
        head="pricing",
        kept="price_recommendations",
        query="prices",
        measure=realised.prices,
        headline=("margin", "margin"),
    ),
    Topic(
        head="promotion",
        kept="promotion_recommendations",
        query="offers",
        measure=realised.redemptions,
        headline=("redemption", "auc"),
        ends_with_rows=True,
        chances=(("redemption", "has_redeemed", "redemption_probability"),),
    ),
    Topic(
        head="supply",
        kept="demand_forecasts",
        query="weeks",
        measure=realised.demand,
        headline=("demand", "wql_mean"),
        is_daily=True,
    ),
    Topic(
        head="supply",
        kept="replenishment_recommendations",
        query="stock",
        measure=realised.stock,
        headline=("stockout", "auc"),
        chances=(("stockout", "has_run_out", "stockout_probability"),),
    ),
    Topic(
        head="service",
        kept="service_forecasts",
        query="contacts",
        measure=realised.contacts,
        headline=("contacts", "poisson_deviance"),
        is_daily=True,
    ),
    Topic(
        head="order_risks",
        kept="order_contact_risks",
        query="orders",
        measure=realised.order_risks,
        headline=("contacted", "auc"),
        chances=(
            ("contacted", "has_contacted", "contact_probability"),
            ("returned", "has_returned", "return_probability"),
        ),
    ),
    Topic(
        head="tickets",
        kept="ticket_predictions",
        query="tickets",
        measure=realised.tickets,
        headline=("handle_minutes", "gamma_deviance"),
    ),
)
# No campaign is waited for longer.
LONGEST_DAYS = max(topic.days or 0 for topic in TOPICS)


def days_needed(table: str, horizon_days: int) -> int:
    """How many days after a night something is still asked of its rows in a kept table."""
    asking = [topic for topic in TOPICS if topic.kept == table]
    return max(
        [horizon_days, *(LONGEST_DAYS if topic.ends_with_rows else topic.days or horizon_days for topic in asking)]
    )
