"""Rows of the world as the feeds show them: orders, lines, tickets, stock, receipts. See `entities` for the rest."""

from __future__ import annotations

import numpy as np
import polars as pl
from numpy.typing import NDArray

from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.names import CURRENCY, NEVER_SECOND, dates, ids, moments, money
from warehouse.sources.demo_shop.orders import PROMOTIONS_A_WEEK
from warehouse.sources.demo_shop.people import TICKET_CHANNELS
from warehouse.sources.demo_shop.shop import Shop

Rows = NDArray[np.void]
Ints = NDArray[np.int64]

A_DAY = 24 * 3600
VAT = 0.19
UNKNOWN = NEVER_SECOND


def promotion_ids(number: Ints) -> pl.Series:
    """Ids of promotions numbered through all weeks; empty where negative."""
    frame = pl.DataFrame({"number": np.asarray(number, np.int64)})
    week, within = pl.col("number") // PROMOTIONS_A_WEEK, pl.col("number") % PROMOTIONS_A_WEEK
    text = pl.format("W{}-{}", week.cast(pl.String).str.zfill(3), within.cast(pl.String).str.zfill(2))
    return frame.select(pl.when(pl.col("number") >= 0).then(text)).to_series()


def orders(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Orders as they stand at the end of the day."""
    status = np.where(rows["is_returned"], "returned", np.where(rows["deliver_day"] <= day, "completed", "placed"))
    total = rows["subtotal"] - rows["discount"] - rows["coupon_discount"] + rows["shipping"]
    return pl.DataFrame(
        {
            "order_id": ids("order", rows["number"]),
            "user_id": ids("user", rows["user"]),
            "ordered_at": moments(shop.size, rows["day"].astype(np.int64) * A_DAY + rows["second"]),
            "status": status,
            "channel": np.where(shop.people.is_on_app[rows["user"]], "app", "web"),
            "currency": pl.repeat(CURRENCY, len(rows), eager=True),
            "subtotal": money(rows["subtotal"]),
            "discount_total": money(rows["discount"] + rows["coupon_discount"]),
            "shipping_total": money(rows["shipping"]),
            # Prices hold the tax, so it is no part of the sum.
            "tax_total": money(np.rint(total * VAT / (1 + VAT)).astype(np.int64)),
            "order_total": money(total),
            "coupon": ids("campaign", rows["campaign"]),
            "cancelled_at": pl.Series([None] * len(rows), dtype=pl.Datetime("us")),
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
            "promotion_id": promotion_ids(rows["promotion"]),
            "promised_delivery_date": dates(shop.size, order_day + laws.PROMISED_DAYS),
            "shipped_at": _when(shop, ship, spread + hour["ship"], ship <= day),
            "delivered_at": _when(shop, deliver, spread + hour["deliver"], deliver <= day),
            "returned_at": _when(shop, back, spread + hour["back"], is_back),
            "refund_amount": pl.DataFrame({"refund": money(rows["total"]), "is_back": is_back})
            .select(pl.when("is_back").then("refund"))
            .to_series(),
        }
    )


def service_tickets(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Tickets as they stand at the end of the day."""
    now = (day + 1) * A_DAY
    is_answered, is_solved = rows["replied"] < now, rows["solved"] < now
    # Every third customer gives a score.
    scores = is_solved & (rows["number"] * 2654435761 % 100 < 35)
    frame = pl.DataFrame(
        {
            "ticket_id": ids("ticket", rows["number"]),
            "user_id": ids("user", rows["user"]),
            "order_id": ids("order", rows["order"]),
            "product_id": ids("product", rows["product"]),
            "channel": pl.Series(TICKET_CHANNELS).gather(rows["channel"].astype(np.uint32)),
            "contact_reason": pl.Series(laws.CONTACT_REASONS).gather(rows["reason"].astype(np.uint32)),
            "priority": np.where(rows["reason"] == laws.QUESTION, "low", np.where(rows["reason"] == laws.DAMAGED, "high", "normal")),
            "status": np.where(is_solved, "solved", np.where(is_answered, "pending", "open")),
            "created_at": moments(shop.size, rows["created"]),
            "first_replied_at": moments(shop.size, np.where(is_answered, rows["replied"], UNKNOWN)),
            "solved_at": moments(shop.size, np.where(is_solved, rows["solved"], UNKNOWN)),
            "handle_minutes": np.round(rows["minutes"].astype(np.float64), 1),
            "reopen_count": rows["reopened"].astype(np.int64),
            "satisfaction_score": rows["satisfaction"].astype(np.float64),
            "is_solved": is_solved,
            "scores": scores,
        }
    )
    return frame.with_columns(
        pl.when("is_solved").then("handle_minutes").alias("handle_minutes"),
        pl.when("is_solved").then("reopen_count").otherwise(0).alias("reopen_count"),
        pl.when("scores").then("satisfaction_score").alias("satisfaction_score"),
    ).drop("is_solved", "scores")


def purchase_order_lines(shop: Shop, rows: Rows, day: int) -> pl.DataFrame:
    """Purchase order lines as they stand at the end of the day."""
    is_here = rows["receive_day"] <= day
    order_id = pl.DataFrame(
        {"day": rows["day"], "site": rows["site"], "supplier": rows["supplier"]}
    ).select(pl.format("PO{}-{}-{}", "day", "site", "supplier"))
    return pl.DataFrame(
        {
            "purchase_order_line_id": ids("purchase", rows["number"]),
            "purchase_order_id": order_id.to_series(),
            "supplier_id": ids("supplier", rows["supplier"]),
            "product_id": ids("product", rows["product"]),
            "ship_to_site_id": ids("site", rows["site"]),
            "ordered_at": moments(shop.size, rows["day"].astype(np.int64) * A_DAY + 6 * 3600),
            "quantity_submitted": rows["units"].astype(np.float64),
            "quantity_received": np.where(is_here, rows["units"], 0).astype(np.float64),
            "expected_delivery_date": dates(shop.size, rows["expected_day"]),
            "received_at": _when(shop, rows["receive_day"], 6 * 3600 + 1800, is_here),
            "unit_cost": money(rows["unit_cost"]),
        }
    )


def inventory_snapshots(
    shop: Shop, day: int, available: Ints, committed: Ints, incoming: Ints, sold_out_second: Ints
) -> pl.DataFrame:
    """Stock of every item that is sold or still there; (N, P) each. A unit that is sold but not shipped is committed."""
    is_held = shop.catalogue.is_sold(day) | (available + committed > 0)
    site, product = np.nonzero(is_held)
    hours = (A_DAY - sold_out_second[site, product]) / 3600
    return pl.DataFrame(
        {
            "snapshot_date": dates(shop.size, np.full(len(site), day)),
            "site_id": ids("site", site),
            "product_id": ids("product", product),
            "on_hand_units": (available + committed)[site, product].astype(np.float64),
            "committed_units": committed[site, product].astype(np.float64),
            "available_units": available[site, product].astype(np.float64),
            "incoming_units": incoming[site, product].astype(np.float64),
            "out_of_stock_hours": np.round(hours, 2),
        }
    )


def _when(shop: Shop, day: Ints, second: Ints | int, is_known: NDArray[np.bool_]) -> pl.Series:
    return moments(shop.size, np.where(is_known, day.astype(np.int64) * A_DAY + second, UNKNOWN))
