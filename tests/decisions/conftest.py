"""A tiny shop after prediction: what decide_actions reads, and nothing more."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import duckdb
import pytest

from tasks.decide_actions import decide_actions
from tasks.night import Night
from tasks.publish_release import publish_release
from warehouse.connect import open_warehouse, read_sql
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.migrate import migrate

AS_OF = date(2017, 12, 4)
HEADS = ("profile", "recommendation", "pricing", "promotion", "supply")

# 40 users, 60 products in 4 categories; product-7 must not be shown, product-8 ended, product-9 has a locked price,
# products from 40 on have no cost, user-3 has not agreed to marketing.
RAW = """
insert into raw.users by name
select 'user-' || i as user_id, i <> 3 as has_marketing_consent from range(40) as t(i);
insert into raw.products by name
select
    'product-' || i as product_id,
    'Product ' || i as product_title,
    'brand-' || i % 3 as brand,
    'category-' || i % 4 as category,
    'category-' || i % 4 || ' > sub-' || i % 8 as category_path,
    if(i < 40, 1.0 + i / 20, null) as unit_cost,
    'USD' as currency,
    i <> 7 as is_recommendable,
    i = 9 as is_price_locked,
    if(i = 8, timestamp '2017-11-01', null) as discontinued_at
from range(60) as t(i);
insert into raw.orders by name
select 'order-' || i as order_id, 'user-' || i % 40 as user_id, timestamp '2017-11-20 12:00' as ordered_at,
    'completed' as status, 20.0 as order_total
from range(80) as t(i);
insert into raw.campaigns by name
select 'campaign-1' as campaign_id, timestamp '2017-12-06' as starts_at, timestamp '2017-12-30' as ends_at;
"""

FEATURES = """
create or replace table features.users as
select user_id, date '2017-12-04' as cutoff_date, i % 30 + 1 as recency_days, if(i = 5, null, 4.0) as gap_mean_days,
    200 as tenure_days, 20.0 as spend_mean, 40 as order_days,
    12 as order_days_84d, 300.0 as spend_84d, 600.0 as spend_168d
from (select *, user_index as i from staging.users);
create or replace table staging.order_lines (product_id varchar, quantity double, line_total double, is_item boolean);
create or replace table features.lead_times (
    supplier_id varchar, cutoff_date date, late_days_p50 double, late_days_p90 double, received_lines bigint
);
create or replace table features.categories as
select 'category-' || i as category, i as category_index from range(4) as t(i);
"""

PREDICTED = """
create schema if not exists predicted;
create or replace temp view numbered_users as
select *, string_split(user_id, '-')[2]::integer as i from staging.users;
create or replace temp view numbered_products as
select *, string_split(product_id, '-')[2]::integer as i from staging.products;
create or replace table predicted.profile as
select user_id, 50.0 + i as expected_revenue_28d, 10.0 as expected_revenue_28d_p10,
    40.0 as expected_revenue_28d_p50, 200.0 as expected_revenue_28d_p90, 0.4 as order_probability_7d,
    0.8 as order_probability_28d, 0.1 as churn_probability_90d, 0.3 as discount_sensitivity,
    cast(null as double) as contact_probability_28d, [0.1, 0.6, 0.3, 0.0] as category_shares,
    'model-1' as model_version, false as is_fallback
from numbered_users;
create or replace table predicted.recommendation as
select user_id, product_id, (1 + hash(user_id, product_id) % 1000) / 2000 as purchase_probability,
    ln(purchase_probability / (1 - purchase_probability)) as score, 1.0 as popularity_discount_ratio,
    i % 2 = 0 as is_new, if(i % 2 = 0, 'similar_products', 'history') as source,
    'model-1' as model_version, false as is_fallback
from staging.users, numbered_products;
create or replace table predicted.demand as
select product_id, 'all' as site_id, date '2017-12-04' + 7 * (horizon::integer - 1) as week_start,
    horizon, cast(1 + i + horizon as double) as demand_units_mean,
    0.5 * demand_units_mean as demand_units_p10,
    0.9 * demand_units_mean as demand_units_p50, 1.8 * demand_units_mean as demand_units_p90,
    2.2 * demand_units_mean as demand_units_p95,
    cast(1.5 + i / 12 - if(horizon = 3, 0.2, 0) as double) as price_assumed,
    -0.5 - i / 12 as elasticity, 1e-1 as elasticity_sd, i % 5 <> 0 as is_elasticity_identified,
    i <> 11 as is_priced, horizon = 3 as is_promoted, 'own_history' as evidence_level,
    'model-1' as model_version, false as is_fallback
from numbered_products, range(1, 5) as t(horizon);
create or replace table predicted.promotion as
select user_id, 'campaign-1' as campaign_id, (1 + i) / 100 as redemption_probability,
    cast(null as double) as order_probability, cast(null as double) as uplift,
    'model-1' as model_version, false as is_fallback
from numbered_users;
"""


def tiny_night(home: Path, run_id: str = "night-1") -> Night:
    return Night(run_id=run_id, as_of_date=AS_OF, source="tiny", home=home)


@pytest.fixture(scope="session")
def shop_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    night = tiny_night(tmp_path_factory.mktemp("shop"))
    with open_warehouse(night.warehouse_path, threads=2) as con:
        migrate(con)
        con.execute(RAW)
        predict(con, night)
    return night.warehouse_path


@pytest.fixture(scope="session")
def decided_file(shop_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    night = tiny_night(tmp_path_factory.mktemp("decided"))
    shutil.copy(shop_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        decide_actions(con, night)
    return night.warehouse_path


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return tiny_night(tmp_path)


@pytest.fixture
def shop(shop_file: Path, night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after prediction."""
    shutil.copy(shop_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        yield con


@pytest.fixture
def decided(decided_file: Path, night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after decide_actions."""
    shutil.copy(decided_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        yield con


@pytest.fixture(scope="session")
def released_home(decided_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("released")
    earlier = tiny_night(home, "night-0")
    shutil.copy(decided_file, earlier.warehouse_path)
    with open_warehouse(earlier.warehouse_path, threads=2) as con:
        publish_release(con, pass_as(con, earlier))
        pass_as(con, tiny_night(home))
    return home


@pytest.fixture
def released(released_home: Path, night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after decide_actions; readers see the night before, night-0."""
    shutil.copytree(released_home, night.home, symlinks=True, dirs_exist_ok=True)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        yield con


def pass_as(con: duckdb.DuckDBPyConnection, night: Night) -> Night:
    """Let the tables that are there pass as those of `night`."""
    con.execute("begin")
    for table in PUBLISHED_TABLES:
        con.execute(f"update {table.qualified_name} set run_id = $1", [night.run_id])
    con.execute("update ops.head_status set run_id = $1", [night.run_id])
    con.execute("commit")
    return night


def predict(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Stand in for the features and the model."""
    con.execute("set variable as_of_date = $1", [night.as_of_date])
    for name in ("schemas", "users", "products"):
        con.execute(read_sql(f"staging/{name}.sql"))
    con.execute(FEATURES)
    con.execute(PREDICTED)
    con.execute("delete from ops.head_status")
    con.executemany(
        "insert into ops.head_status by name select $1 as run_id, $2 as head, 'released' as status, 'good' as reason",
        [(night.run_id, head) for head in HEADS],
    )
