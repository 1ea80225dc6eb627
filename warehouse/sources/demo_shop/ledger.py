"""What a day earned and how well it served."""

from __future__ import annotations

import numpy as np

from warehouse.sources.demo_shop import service, supply
from warehouse.sources.demo_shop.arrays import Ints, Rows
from warehouse.sources.demo_shop.carry_out import Today
from warehouse.sources.demo_shop.names import A_DAY
from warehouse.sources.demo_shop.parcels import Parcels
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.shopping import LIST
from warehouse.sources.demo_shop.state import State
from warehouse.sources.demo_shop.trade import Trade

DELIVERY_CENTS, RETURN_CENTS, MESSAGE_CENTS = 300, 250, 10


def ledger(
    shop: Shop,
    state: State,
    today: Today,
    trade: Trade,
    *,
    orders: Rows,
    lines: Rows,
    parcels: Parcels,
    tickets: Rows,
    purchases: Rows,
    wasted: Ints,
) -> dict[str, float]:
    """The day's figures: money in EUR, `profit` the sum of its signs; units; minutes that service is open."""
    cost, returned = shop.catalogue.unit_cost, parcels.returned
    is_sold = shop.catalogue.is_sold(state.day)
    cents = {
        "revenue": lines["total"].sum() + orders["shipping"].sum(),
        "cost_of_goods": -(lines["units"] * cost[lines["product"]]).sum(),
        "delivery_cost": -DELIVERY_CENTS * len(orders),
        "holding_cost": -supply.HOLDING_RATIO_PER_DAY * (state.on_hand.sum(axis=0) * cost).sum(),
        "waste_cost": -(wasted.sum(axis=0) * cost).sum(),
        "ordering_cost": -_ordering(purchases),
        "return_cost": (returned["units"] * cost[returned["product"]] - returned["total"] - RETURN_CENTS).sum(),
        "message_cost": -MESSAGE_CENTS * len(today.messaged),
        "wages": -today.agents.sum() * service.OPEN_MINUTES / 60 * service.WAGE_CENTS_PER_HOUR,
        "compensation_cost": -service.COMPENSATION_CENTS * (tickets["waiting"] > service.ANSWER_WITHIN_MINUTES).sum(),
    }
    figures = {name: abs(float(value)) / 100 for name, value in cents.items()}
    # A return may, for a loss leader, earn more than it costs.
    figures["return_cost"] = -float(cents["return_cost"]) / 100
    return figures | {
        "profit": float(sum(cents.values())) / 100,
        "discounts": float(orders["discount"].sum() + orders["coupon_discount"].sum()) / 100,
        "orders": float(len(orders)),
        "visits": float(len(trade.looks.user)),
        "demanded_units": float(trade.wanted_units.sum()),
        "served_units": float(lines["units"].sum()),
        "stockout_product_days": float((is_sold & (trade.sales.sold_out_second < A_DAY)).sum()),
        "product_days": float(is_sold.sum() * shop.size.sites),
        "contacts": float(len(tickets)),
        "mean_waiting_minutes": float(tickets["waiting"].mean()) if len(tickets) else 0.0,
        "messages": float(len(today.messaged)),
        "refused_offers": float(today.refused_offers),
        "list_impressions": float(trade.looks.impressions),
        "list_hits": float((trade.sales.rows.column < LIST.stop).sum()),
    }


def _ordering(purchases: Rows) -> float:
    """A fixed cost of each order to a supplier for a site, and one of each line."""
    orders = len(np.unique(purchases[["site", "supplier"]]))
    return float(supply.ORDER_CENTS * orders + supply.ORDER_LINE_CENTS * len(purchases))
