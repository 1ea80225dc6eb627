"""The heads: one module each, one class for each task that a head learns."""

from __future__ import annotations

from mtl_models.heads.base import Head, Outputs, View
from mtl_models.heads.pricing import PriceResponse, Redemption, Uplift
from mtl_models.heads.quality import ProductQuality
from mtl_models.heads.recommendation import Recommendation
from mtl_models.heads.service import DailyContacts, OrderRisk
from mtl_models.heads.supply import Supply
from mtl_models.heads.tickets import TicketTriage
from mtl_models.heads.user_profile import UserProfile

# Task name to head; the order is that of the joint batch and of every report.
TASKS: dict[str, type[Head]] = {
    "profile": UserProfile,
    "recommendation": Recommendation,
    "quality": ProductQuality,
    "pricing": PriceResponse,
    "promotion": Redemption,
    "uplift": Uplift,
    "supply": Supply,
    "service_orders": OrderRisk,
    "service_days": DailyContacts,
    "service_tickets": TicketTriage,
}


def weight_name(task: str) -> str:
    """The name under which settings and priorities weigh a task: the tasks of one head share one."""
    parts = {"uplift": "promotion", "quality": "recommendation"}
    return "service" if task.startswith("service_") else parts.get(task, task)


__all__ = ["TASKS", "Head", "Outputs", "View", "weight_name"]
