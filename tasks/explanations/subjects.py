"""Which decisions are explained by which output of the model."""

from __future__ import annotations

from dataclasses import dataclass

from mtl_models.heads import TASKS
from tasks.explanations.sentences import Measure


@dataclass(frozen=True)
class Subject:
    """The rows that warehouse/explanations/<table>.sql chooses, and the raw output that they rest on: before any
    calibration, so that credits add up.

    `key`: columns of the task's samples that name the rows of a decision. `untold`: inputs of the head that are left
    out; the sales explained are those at the usual price.
    """

    table: str
    head: str
    task: str
    output: str
    measure: Measure
    key: tuple[str, ...]
    untold: tuple[str, ...] = ()

    @property
    def sample_table(self) -> str:
        """The table whose rows the task reads."""
        return TASKS[self.task].table


SUBJECTS = (
    Subject(
        table="user_profiles",
        head="profile",
        task="profile",
        output="buys_28d",
        measure=Measure("the chance of an order within 28 days", "odds"),
        key=("user_id",),
    ),
    Subject(
        table="product_recommendations",
        head="recommendation",
        task="recommendation",
        output="bought_28d",
        measure=Measure("the chance that it is bought within 28 days", "odds"),
        key=("user_id", "product_id"),
    ),
    Subject(
        table="price_recommendations",
        head="pricing",
        task="pricing",
        output="elasticity",
        measure=Measure("the price", "elasticity"),
        key=("product_id",),
    ),
    Subject(
        table="promotion_recommendations",
        head="promotion",
        task="promotion",
        output="redeemed",
        measure=Measure("the chance that a coupon is redeemed", "odds"),
        key=("user_id", "campaign_id"),
    ),
    Subject(
        table="replenishment_recommendations",
        head="supply",
        task="supply",
        output="log_units",
        measure=Measure("the sales expected", "amount"),
        key=("product_id",),
        untold=("mean_price_assumed",),
    ),
    Subject(
        table="order_contact_risks",
        head="order_risks",
        task="service_orders",
        output="contacted",
        measure=Measure("the chance of a contact about the order", "odds"),
        key=("order_id",),
    ),
    Subject(
        table="ticket_predictions",
        head="tickets",
        task="service_tickets",
        output="missed",
        measure=Measure("the chance that the promise is missed", "odds"),
        key=("ticket_id",),
    ),
)
