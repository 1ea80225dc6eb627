"""What the shop's own people know of today before it begins: its planned prices, its campaign, its promises."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import expectation
from warehouse.sources.demo_shop.names import ids, money
from warehouse.sources.demo_shop.plan import campaign_of_day
from warehouse.sources.demo_shop.policies import rule_feeds
from warehouse.sources.demo_shop.service import OPEN_MINUTES
from warehouse.sources.demo_shop.world import World


@dataclass(frozen=True, kw_only=True)
class ServicePromise:
    """What service promises its customers; `open_hours` a day."""

    answered_in_time_ratio: float
    answer_within_minutes: float
    maximum_occupancy_ratio: float
    open_hours: float


def planned_prices(world: World) -> pl.DataFrame:
    """`product_id`, `price` (EUR): what each product costs today unless somebody decides, promotions included."""
    cents, _ = expectation.planned_prices(world.shop, world.state, world.state.day)
    return pl.DataFrame({"product_id": ids("product", np.arange(len(cents))), "price": money(cents)})


def running_campaign(world: World) -> str | None:
    """The id of the campaign whose coupon is given out today; None without one."""
    campaign = campaign_of_day(world.shop.seed, world.state.day)
    return campaign.campaign_id if campaign else None


def service_promise(world: World) -> ServicePromise:
    """The shop's rule for all contacts, as the feed `service_policies` has it."""
    (rule,) = rule_feeds(world.shop.size, world.shop.catalogue)["service_policies"].to_dicts()
    return ServicePromise(
        answered_in_time_ratio=rule["service_level"],
        answer_within_minutes=rule["answer_within_minutes"],
        maximum_occupancy_ratio=rule["maximum_occupancy_ratio"],
        open_hours=OPEN_MINUTES / 60,
    )
