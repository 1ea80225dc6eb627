"""What happens on a cut-off or after it changes nothing that is seen from the cut-off, but labels."""

from __future__ import annotations

from datetime import date

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import AS_OF, FUTURE, MakeNight, comparable, read, tables_with

# The week's own price is what a what-if gives, and weights say which rows were kept; the rest must have been known.
GIVEN = {"price", "is_price_seen", "list_price", "sample_weight"}


@pytest.mark.parametrize("future", [AS_OF, date(2024, 9, 16), date(2024, 7, 22)], ids=["serve", "test", "train"])
def test_the_future_changes_no_feature(
    built_shop: duckdb.DuckDBPyConnection,
    small_shop: duckdb.DuckDBPyConnection,
    make_night: MakeNight,
    future: date,
) -> None:
    small_shop.execute("set variable future_date = $1", [future])
    small_shop.execute(FUTURE)
    build_features(small_shop, make_night())
    tables = tables_with(small_shop, "cutoff_date")
    assert len(tables) > 15
    with_origin = tables_with(small_shop, "origin_date")
    for table in tables:
        seen = f"{'origin_date' if table in with_origin else 'cutoff_date'} <= date '{future}'"
        if table == "samples.recommendation":
            # Training keeps every positive, which is a label's doing; of the others it keeps these.
            seen += " and hash(user_id, product_id, cutoff_date) % 4 = 0"
        if table == "samples.service_tickets":
            # A ticket is looked at on its own day, which is the first day of the future here.
            seen = f"origin_date < date '{future}'"
        if table == "features.lead_times" and future < date(2024, 9, 16):
            continue  # known tonight and at the cut-off that is measured
        before = comparable(built_shop, table, GIVEN, seen)
        # A shop of two dozen users has too few to compare offers by.
        assert before or table == "features.campaign_controls", f"{table} has nothing to compare"
        assert comparable(small_shop, table, GIVEN, seen) == before, table


def test_the_future_does_change_labels(
    built_shop: duckdb.DuckDBPyConnection, small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    small_shop.execute("set variable future_date = $1", [date(2024, 9, 16)])
    small_shop.execute(FUTURE)
    build_features(small_shop, make_night())
    for label, table in {
        "label_spend_28d": "samples.profile",
        "label_contacts_28d": "samples.profile",
        "label_bought_28d": "samples.recommendation",
        "label_units": "samples.demand",
        "label_redeemed": "samples.promotion",
        "label_contacted": "samples.service_orders",
    }.items():
        query = f"select sum({label}) from {table} where fold = 'test'"
        assert read(small_shop, query) > read(built_shop, query), label


def test_what_lands_early_is_ignored(
    small_shop: duckdb.DuckDBPyConnection, built_shop: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    """The small shop's feeds go on for five weeks after the night; without them, the night is the same."""
    for feed, column in {
        "orders": "ordered_at",
        "service_tickets": "created_at",
        "promotions": "announced_at",
        "redemptions": "redeemed_at",
        "purchase_order_lines": "ordered_at",
        "inventory_snapshots": "snapshot_date",
        "behaviour_events": "event_at",
    }.items():
        (removed,) = read(small_shop, f"delete from raw.{feed} where {column} >= $1", AS_OF)[0]
        assert removed > 0, feed
    build_features(small_shop, make_night())
    for table in tables_with(small_shop, "cutoff_date"):
        assert comparable(small_shop, table) == comparable(built_shop, table), table
