"""The order in which a night's working tables are built, and what their SQL may ask for."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import date

import duckdb

from warehouse.connect import read_sql

# What the feeds say, cleaned and counted by day and week; then who is looked at from which cut-off.
FEED_FILES = (
    "staging/schemas.sql",
    "staging/users.sql",
    "staging/products.sql",
    "staging/order_lines.sql",
    "staging/user_product_days.sql",
    "staging/order_days.sql",
    "staging/visits.sql",
    "staging/product_weeks.sql",
    "features/cutoffs.sql",
    "features/service_origins.sql",
    "features/campaign_controls.sql",
    "staging/viewpoints.sql",
    "staging/days_seen.sql",
)
# After presence, which is not SQL.
ENTITY_FILES = (
    "features/users.sql",
    "features/demand_population.sql",
    "features/products.sql",
    "features/sites.sql",
    "features/calendar.sql",
    "features/categories.sql",
    "features/receipts.sql",
    "staging/promotion_weeks.sql",
    "samples/profile.sql",
)
DEMAND_FILES = (
    "staging/product_availability.sql",
    "staging/shelf_weeks.sql",
    "staging/product_panels.sql",
    "features/price_spells.sql",
    "features/demand_history.sql",
    "features/placement_lifts.sql",
    "features/demand_promotions.sql",
    "features/discount_habits.sql",
    "samples/demand.sql",
)
CAMPAIGN_AND_SERVICE_FILES = (
    "samples/promotion.sql",
    "staging/after_sales.sql",
    "samples/product_quality.sql",
    "samples/service_orders.sql",
    "samples/service_days.sql",
    "samples/service_tickets.sql",
)
# Before and after the item-item model, which is not SQL.
CANDIDATE_FILES = (
    "staging/user_taste_days.sql",
    "features/popular_products.sql",
    "features/user_products.sql",
    "staging/popular_unseen.sql",
    "staging/item_interactions.sql",
)
RECOMMENDATION_FILES = (
    "features/similar_products.sql",
    "features/promoted_shares.sql",
    "samples/recommendation.sql",
)
# Of all these, what turns announced promotions into samples, in their order: how a scenario adds one.
PROMOTION_FILES = (
    "staging/order_lines.sql",
    "staging/user_product_days.sql",
    "staging/product_weeks.sql",
    "staging/promotion_weeks.sql",
    "staging/product_availability.sql",
    "staging/shelf_weeks.sql",
    "staging/product_panels.sql",
    "features/demand_promotions.sql",
    "samples/demand.sql",
    "features/promoted_shares.sql",
)


def version() -> str:
    """A hash of all that SQL: equal versions build the same columns with the same meaning."""
    groups = (FEED_FILES, ENTITY_FILES, DEMAND_FILES, CAMPAIGN_AND_SERVICE_FILES, CANDIDATE_FILES, RECOMMENDATION_FILES)
    texts = "\n".join(read_sql(file) for group in groups for file in group)
    return hashlib.sha256(texts.encode()).hexdigest()[:16]


def set_variables(con: duckdb.DuckDBPyConnection, variables: Mapping[str, float | str | date]) -> None:
    """Make values known to SQL as getvariable('name')."""
    for name, value in variables.items():
        con.execute(f"set variable {name} = $1", [value])


def run_files(con: duckdb.DuckDBPyConnection, files: Iterable[str], on_file: Callable[[str], None]) -> dict[str, float]:
    """Run the SQL files in order, telling `on_file` before each; the seconds that each took."""
    seconds = {}
    for file in files:
        on_file(file)
        started = time.perf_counter()
        con.execute(read_sql(file))
        seconds[file] = time.perf_counter() - started
    return seconds


def count_rows(con: duckdb.DuckDBPyConnection, schemas: Iterable[str]) -> dict[str, int]:
    """Rows of every table in the schemas, by 'schema.table'."""
    counts = con.execute(
        "select schema_name || '.' || table_name, estimated_size from duckdb_tables()"
        " where list_contains($1, schema_name) order by all",
        [list(schemas)],
    ).fetchall()
    return dict(counts)
