"""Rows of the world as the feeds show them: orders, lines, tickets, stock, receipts. See `entities` for the rest."""

from __future__ import annotations

import numpy as np
import polars as pl

from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.arrays import Flags, Ints, Rows
from warehouse.sources.demo_shop.names import (
    A_DAY,
    CURRENCY,
    UNKNOWN,
    always,
    dates,
    ids,
    known,
    moments,
    money,
    prefixed,
    words,
)
from warehouse.sources.demo_shop.people import TICKET_CHANNELS
from warehouse.sources.demo_shop.shop import Shop

VAT = 0.19
ORDER_STATES = ("placed", "completed", "returned")
TICKET_STATES = ("open", "pending", "solved")
PRIORITIES = ("normal", "high", "normal", "normal", "low")


def orders(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Orders as they stand at the end of the day."""
    state = np.where(rows["is_returned"], 2, rows["deliver_day"] <= day)
    total = rows["subtotal"] - rows["discount"] - rows["coupon_discount"] + rows["shipping"]
    return pl.DataFrame(
        {
            "order_id": ids("order", rows["number"]),
            "user_id": ids("user", rows["user"]),
            "ordered_at": moments(rows["day"].astype(np.int64) * A_DAY + rows["second"]),
            "status": words(ORDER_STATES, state),
            "channel": words(("web", "app"), shop.people.is_on_app[rows["user"]]),
            "currency": always(CURRENCY, len(rows)),
            "subtotal": money(rows["subtotal"]),
            "discount_total": money(rows["discount"] + rows["coupon_discount"]),
            "shipping_total": money(rows["shipping"]),
            # Prices hold the tax, so it is no part of the sum.
            "tax_total": money(np.rint(total * VAT / (1 + VAT)).astype(np.int64)),
            "order_total": money(total),
            "coupon": ids("campaign", rows["campaign"]),
            "cancelled_at": moments(np.full(len(rows), UNKNOWN)),
        }
    )


def order_lines(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Order lines as they stand at the end of the day."""
    order_day, ship, deliver, back = (rows[name] for name in ("day", "ship_day", "deliver_day", "return_day"))
    is_back = (back >= 0) & (back <= day)
    hour = {"ship": 7 * 3600, "deliver": 10 * 3600, "back": 11 * 3600}
    # A parcel's minute within the day, by its order.
    spread = rows["order"] * 7919 % (6 * 3600)
    return pl.DataFrame(
        {
            "order_line_id": ids("line", rows["number"]),
            "order_id": ids("order", rows["order"]),
            "product_id": ids("product", rows["product"]),
            "ship_from_site_id": ids("site", rows["site"]),
            "quantity": rows["units"].astype(np.float64),
            "list_price": money(rows["list_price"]),
            "sold_price": money(rows["price"]),
            "discount": money((rows["list_price"] - rows["price"]) * rows["units"]),
            "line_total": money(rows["total"]),
            "promotion_id": ids("promotion", rows["promotion"]),
            "promised_delivery_date": dates(order_day + laws.PROMISED_DAYS),
            "shipped_at": _when(shop, ship, spread + hour["ship"], ship <= day),
            "delivered_at": _when(shop, deliver, spread + hour["deliver"], deliver <= day),
            "returned_at": _when(shop, back, spread + hour["back"], is_back),
            "refund_amount": known(money(rows["total"]), is_back),
        }
    )


def service_tickets(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Tickets as they stand at the end of the day."""
    now = (day + 1) * A_DAY
    is_answered, is_solved = rows["replied"] < now, rows["solved"] < now
    # Every third customer gives a score.
    scores = is_solved & (rows["number"] * 2654435761 % 100 < 35)
    return pl.DataFrame(
        {
            "ticket_id": ids("ticket", rows["number"]),
            "user_id": ids("user", rows["user"]),
            "order_id": ids("order", rows["order"]),
            "product_id": ids("product", rows["product"]),
            "channel": words(TICKET_CHANNELS, rows["channel"]),
            "contact_reason": words(laws.CONTACT_REASONS, rows["reason"]),
            "priority": words(PRIORITIES, rows["reason"]),
            "status": words(TICKET_STATES, is_answered.astype(int) + is_solved),
            "created_at": moments(rows["created"]),
            "first_replied_at": moments(np.where(is_answered, rows["replied"], UNKNOWN)),
            "solved_at": moments(np.where(is_solved, rows["solved"], UNKNOWN)),
            "handle_minutes": known(pl.Series(np.round(rows["minutes"].astype(np.float64), 1)), is_solved),
            "reopen_count": np.where(is_solved, rows["reopened"], 0).astype(np.int64),
            "satisfaction_score": known(pl.Series(rows["satisfaction"].astype(np.float64)), scores),
        }
    )


def purchase_order_lines(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Purchase order lines as they stand at the end of the day."""
    is_here = rows["receive_day"] <= day
    # One order of a supplier for each site and day.
    order = (rows["day"].astype(np.int64) * 100 + rows["site"]) * 10_000 + rows["supplier"]
    return pl.DataFrame(
        {
            "purchase_order_line_id": ids("purchase", rows["number"]),
            "purchase_order_id": prefixed("PO", pl.Series(order).cast(pl.String)),
            "supplier_id": ids("supplier", rows["supplier"]),
            "product_id": ids("product", rows["product"]),
            "ship_to_site_id": ids("site", rows["site"]),
            "ordered_at": moments(rows["day"].astype(np.int64) * A_DAY + 6 * 3600),
            "quantity_submitted": rows["units"].astype(np.float64),
            "quantity_received": np.where(is_here, rows["units"], 0).astype(np.float64),
            "expected_delivery_date": dates(rows["expected_day"]),
            "received_at": _when(shop, rows["receive_day"], 6 * 3600 + 1800, is_here),
            "unit_cost": money(rows["unit_cost"]),
        }
    )


def inventory_snapshots(
    shop: Shop, day: int, available: Ints, committed: Ints, incoming: Ints, sold_out_second: Ints
) -> pl.DataFrame:
    """Stock of every item that is sold or still there; (N, P) each. Units sold but not yet shipped are committed."""
    is_held = shop.catalogue.is_sold(day) | (available + committed > 0)
    site, product = np.nonzero(is_held)
    hours = (A_DAY - sold_out_second[site, product]) / 3600
    return pl.DataFrame(
        {
            "snapshot_date": dates(np.full(len(site), day)),
            "site_id": ids("site", site),
            "product_id": ids("product", product),
            "on_hand_units": (available + committed)[site, product].astype(np.float64),
            "committed_units": committed[site, product].astype(np.float64),
            "available_units": available[site, product].astype(np.float64),
            "incoming_units": incoming[site, product].astype(np.float64),
            "out_of_stock_hours": np.round(hours, 2),
        }
    )


def _when(shop: Shop, day: Ints, second: Ints | int, is_known: Flags) -> pl.Series:
    return moments(np.where(is_known, day.astype(np.int64) * A_DAY + second, UNKNOWN))
