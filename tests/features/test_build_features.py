"""The build as a whole: the same night twice, feeds that are not there, and what it reports."""

from __future__ import annotations

import duckdb

from tasks.build_features import build_features
from tasks.progress import listening
from tests.features.rows import MakeNight, read, tables_with
from warehouse.digest import digest_rows

# Numbers that have no end in binary, so that the order of a sum shows in its last digit.
UNEVEN = """
update raw.order_lines set quantity = quantity * 0.7 + 0.1;
update raw.inventory_snapshots set available_units = available_units / 3, out_of_stock_hours = out_of_stock_hours / 7;
update raw.purchase_order_lines set quantity_submitted = quantity_submitted * 1.1;
update raw.service_tickets set handle_minutes = 3.3 + hash(ticket_id) % 100 / 7;
update raw.behaviour_events set rating = 1 + hash(event_id) % 40 / 11 where rating is not null;
"""


def built(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> dict[str, str]:
    """{table: digest} of all features and samples."""
    return {
        table: digest_rows(con, table, con.sql(f"from {table} limit 0").columns)
        for table in build_features(con, make_night()).rows
    }


def test_the_same_night_twice_gives_the_same_tables_in_whatever_order_its_rows_lie(
    small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight
) -> None:
    """A backfill, a late file and the number of threads change the order, and say nothing."""
    small_shop.execute(UNEVEN)
    before = built(small_shop, make_night)
    for (feed,) in read(small_shop, "select table_name from duckdb_tables() where schema_name = 'raw'"):
        small_shop.execute(f"create temp table shuffled as from raw.{feed} order by hash(rowid)")
        small_shop.execute(f"delete from raw.{feed}; insert into raw.{feed} from shuffled; drop table shuffled")
    after = built(small_shop, make_night)
    assert {table for table in before if after[table] != before[table]} == set()


def test_without_optional_feeds(small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """Users, products, orders and their lines are enough for a first night; the rest is empty or not known."""
    for feed in ("sites", "promotions", "promotion_products", "campaigns", "campaign_products", "campaign_targets",
                 "redemptions", "service_tickets"):  # fmt: skip
        small_shop.execute(f"delete from raw.{feed}")
    small_shop.execute("update raw.order_lines set list_price = null, discount = null, ship_from_site_id = null")
    small_shop.execute("update raw.products set category_path = null, brand = null")
    report = build_features(small_shop, make_night())
    empty = {table.removeprefix("samples.") for table, rows in report.rows.items() if rows == 0 and "samples" in table}
    assert empty == {"promotion", "service_orders", "service_days", "service_tickets"}
    assert read(
        small_shop,
        "select count(*) from samples.demand where ctx_mailer <> 0 or ctx_display <> 0 or ctx_promotion_log_lift <> 0",
    ) == [(0,)]
    assert read(small_shop, "select count(label_contacts_28d), count(label_spend_28d) > 0 from samples.profile") == [
        (0, True)
    ]
    # Without a regular price the shelf price is one, so nothing is ever discounted.
    assert read(
        small_shop, "select count(*) from samples.demand where list_price <> price or price_assumed is null"
    ) == [(0,)]
    assert read(small_shop, "select distinct site_id from samples.profile") == [("unknown",)]


def test_every_sample_finds_its_entities(built_shop: duckdb.DuckDBPyConnection) -> None:
    for table in tables_with(built_shop, "fold"):
        if not table.startswith("samples."):
            continue
        columns = {name for (name,) in read(built_shop, f"select column_name from (describe {table})")}
        # Between two cut-offs service sees the entities of the last one, which lacks who came since.
        at_cutoff = "where fold <> 'train'" if "origin_date" in columns else ""
        for entity, key in {"users": "user_id", "products": "product_id", "sites": "site_id"}.items():
            is_other = entity == "sites" and table == "samples.demand"
            # An order may hold nothing that is an item.
            is_other |= entity == "products" and "origin_date" in columns
            if key in columns and not is_other:
                missing = f"from {table} anti join features.{entity} using ({key}, cutoff_date) {at_cutoff}"
                assert read(built_shop, missing) == [], (table, entity)
        if "calendar_date" in columns:
            assert read(built_shop, f"from {table} anti join features.calendar using (calendar_date)") == [], table
    assert (
        read(
            built_shop, "from samples.demand anti join features.demand_history using (product_id, site_id, cutoff_date)"
        )
        == []
    )


def test_numbers_are_finite(built_shop: duckdb.DuckDBPyConnection) -> None:
    columns = read(
        built_shop,
        "select schema_name || '.' || table_name, column_name from duckdb_columns()"
        " where schema_name in ('features', 'samples') and data_type in ('FLOAT', 'DOUBLE')",
    )
    assert len(columns) > 150
    for table, column in columns:
        assert read(built_shop, f"select count(*) from {table} where not isfinite({column})") == [(0,)], (table, column)


def test_keys_are_unique(built_shop: duckdb.DuckDBPyConnection) -> None:
    for table, key in {
        "features.users": "user_id, cutoff_date",
        "features.products": "product_id, cutoff_date",
        "features.sites": "site_id, cutoff_date",
        "features.calendar": "calendar_date",
        "features.demand_history": "product_id, site_id, cutoff_date",
        "samples.profile": "user_id, cutoff_date",
        "samples.product_quality": "product_id, origin_date",
        "features.campaign_controls": "campaign_id, user_id",
        "samples.promotion": "user_id, campaign_id, cutoff_date",
        "samples.demand": "product_id, site_id, cutoff_date, horizon",
        "samples.service_orders": "order_id, origin_date",
        "samples.service_days": "forecast_date, channel, contact_reason, origin_date",
        "samples.service_tickets": "ticket_id, seen_at",
    }.items():
        assert read(built_shop, f"from {table} select 1 group by {key} having count(*) > 1") == [], table


def test_progress_and_report(small_shop: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    heard: list[float] = []
    with listening(lambda message, done: heard.append(done or 0)):
        report = build_features(small_shop, make_night())
    assert heard == sorted(heard) and heard[0] == 0 and 0.9 < heard[-1] < 1
    assert len(heard) == len(report.seconds)
    assert report.rows["samples.profile"] == read(small_shop, "select count(*) from samples.profile")[0][0]
    assert min(report.seconds.values()) > 0
