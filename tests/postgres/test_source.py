"""A shop's database as a source of feeds."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import duckdb
import pytest

from tests.landing import empty_warehouse
from tests.postgres.conftest import connect
from warehouse.contracts import feed
from warehouse.ingest import FeedLoad, load_feed
from warehouse.postgres.session import ServerLost, Session
from warehouse.sources import FeedError, Source, SourceOptions, open_source

PRODUCTS = "create table products (product_id bigint primary key, brand text, list_price {price}, {more})"
CHANGING = "updated_at timestamptz not null default clock_timestamp(), deleted_at timestamptz"


class Shop:
    """The database beside a warehouse."""

    def __init__(self, address: str, session: Session, con: duckdb.DuckDBPyConnection) -> None:
        self.address, self.session, self.con = address, session, con
        session.run("set search_path = public")
        self.options = SourceOptions()

    def source(self) -> Source:
        return open_source(f"postgres:{self.address}", options=self.options)

    def load(self, name: str = "products") -> FeedLoad:
        source = self.source()
        try:
            return load_feed(self.con, source, feed(name), "night")
        finally:
            source.close()

    def run(self, *statements: str) -> None:
        for statement in statements:
            self.session.run(statement)

    def rows(self, columns: str = "product_id, brand") -> list[tuple]:
        return self.con.execute(f"select {columns} from raw.products order by all").fetchall()


@pytest.fixture
def con(tmp_path: Path) -> Iterator[duckdb.DuckDBPyConnection]:
    with empty_warehouse(tmp_path / "warehouse.duckdb") as con:
        yield con


@pytest.fixture
def shop(address: str, database: Session, con: duckdb.DuckDBPyConnection) -> Shop:
    return Shop(address, database, con)


@pytest.fixture
def products(shop: Shop) -> Shop:
    """Two products in a table that tells of changes."""
    shop.run(PRODUCTS.format(price="numeric", more=CHANGING), "insert into products values (1, 'one'), (2, 'two')")
    return shop


def test_only_what_changed_is_read_again_and_replaces_its_key(products: Shop) -> None:
    products.options = replace(products.options, overlap_minutes=0)
    assert products.load().rows_read == 2
    assert products.load().inputs_loaded == 0
    products.run("update products set brand = 'zwei', updated_at = clock_timestamp() where product_id = 2")
    again = products.load()
    assert (again.inputs_loaded, again.rows_read, again.rows_replaced) == (1, 1, 1)
    assert products.rows() == [("1", "one"), ("2", "zwei")]
    assert products.load().inputs_loaded == 0


def test_an_older_transaction_that_commits_late_has_landed_by_the_next_night(products: Shop) -> None:
    products.options = replace(products.options, overlap_minutes=0)
    with connect(products.address) as slow:
        slow.run("begin")
        slow.run("insert into public.products values (3, 'slow')")
        products.run("insert into products values (4, 'quick')")
        products.load()
        assert products.rows() == [("1", "one"), ("2", "two"), ("4", "quick")]
        slow.run("commit")
    products.load()
    assert products.rows() == [("1", "one"), ("2", "two"), ("3", "slow"), ("4", "quick")]


def test_the_overlap_finds_a_change_that_was_noted_too_early(products: Shop) -> None:
    """By a clock that is behind, or a transaction that nobody could see."""
    products.load()
    products.run("insert into products values (3, 'late', null, clock_timestamp() - interval '50 minutes')")
    products.load()
    products.run("insert into products values (4, 'too late', null, clock_timestamp() - interval '70 minutes')")
    products.load()
    assert products.rows() == [("1", "one"), ("2", "two"), ("3", "late")]


@pytest.mark.parametrize("mark", ["deleted_at = now()", "is_gone = true"])
def test_a_row_that_is_marked_as_deleted_goes(shop: Shop, mark: str) -> None:
    column = mark.partition(" ")[0]
    shop.options = replace(shop.options, deleted_column=column)
    kind = "boolean" if column == "is_gone" else "timestamptz"
    more = f"updated_at timestamptz default clock_timestamp(), {column} {kind}"
    shop.run(PRODUCTS.format(price="numeric", more=more), "insert into products values (1, 'one'), (2, 'two')")
    shop.load()
    shop.run(f"update products set {mark}, updated_at = clock_timestamp() where product_id = 1")
    assert shop.load().rows_replaced >= 1
    assert shop.rows() == [("2", "two")]
    shop.run(f"update products set {column} = null, updated_at = clock_timestamp() where product_id = 1")
    shop.load()
    assert shop.rows() == [("1", "one"), ("2", "two")]


def test_a_table_that_tells_no_changes_is_read_whole_when_it_has_any(shop: Shop) -> None:
    shop.run(PRODUCTS.format(price="numeric", more="note text"), "insert into products values (1, 'one'), (2, 'two')")
    first = shop.load()
    assert (first.rows_read, first.unknown_columns) == (2, ("note",))
    assert shop.load().inputs_loaded == 0
    shop.run("update products set note = 'nobody reads it'")
    assert shop.load().inputs_loaded == 0
    shop.run("delete from products where product_id = 1")
    assert shop.load().rows_replaced == 2
    assert shop.rows() == [("2", "two")]


def test_values_arrive_exact_and_in_utc(shop: Shop) -> None:
    shop.run(
        "create type brands as enum ('one')",
        "create domain price as numeric(18, 4)",
        "create table products (product_id uuid, brand brands, list_price price, unit_cost money, "
        "launched_at timestamptz, discontinued_at timestamptz, is_price_locked boolean)",
        "insert into products values ('00000000-0000-0000-0000-000000000001', 'one', 90071992547409.9301, '3.20', "
        "'2024-03-31 01:30:00+02', 'infinity', true)",
    )
    shop.load()
    columns = "product_id, brand, list_price, unit_cost, launched_at, discontinued_at, is_price_locked"
    assert shop.rows(columns) == [
        (
            "00000000-0000-0000-0000-000000000001",
            "one",
            Decimal("90071992547409.9301"),
            Decimal("3.2000"),
            datetime(2024, 3, 30, 23, 30),
            None,
            True,
        )
    ]


def test_a_price_that_is_no_number_is_set_aside(shop: Shop) -> None:
    rows = ", ".join(f"({number}, 'b', {number})" for number in range(1, 400))
    shop.run(PRODUCTS.format(price="numeric", more="note text"), f"insert into products values {rows}")
    shop.run("insert into products values (0, 'b', 'NaN')")
    assert shop.load().rows_quarantined == 1
    assert shop.con.execute("select row_key, broken_rules from ops.quarantined_rows").fetchall() == [
        ('{"product_id":"0"}', "list_price_parses")
    ]


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (
            PRODUCTS.format(price="double precision", more="note text"),
            r"'list_price' of table public\.products is double precision.*DECIMAL.*numeric.*Remedy.*view",
        ),
        ("create table products (product text)", r"public\.products lacks .*'product_id'.*Remedy: rename 'product'"),
        (PRODUCTS.format(price="numeric", more="updated_at text"), r"'updated_at' .* is text.*Remedy"),
    ],
)
def test_a_wrong_column_is_named_with_what_was_expected(shop: Shop, table: str, words: str) -> None:
    shop.run(table)
    with pytest.raises(FeedError, match=words):
        shop.load()


def test_a_mapped_table_is_read_and_a_missing_one_is_named(products: Shop) -> None:
    products.run("create schema sales", "create view sales.offers as select product_id, 'x' as brand from products")
    products.options = replace(products.options, tables={"products": "sales.offers"})
    assert products.load().rows_read == 2
    products.options = replace(products.options, tables={"products": "sales.gone"})
    with pytest.raises(FeedError, match=r"sales\.gone.*Remedy"):
        products.load()
    assert products.load("users").inputs_seen == 0


def test_all_feeds_are_of_one_moment_and_nothing_can_be_written(products: Shop) -> None:
    source = products.source()
    source.prepare(lambda message, done: None)
    products.run("insert into products values (3, 'after the snapshot')")
    assert load_feed(products.con, source, feed("products"), "night").rows_read == 2
    with pytest.raises(Exception, match="read-only"):
        source._ask("insert into public.products values (5) returning 1")  # type: ignore[attr-defined]
    source.close()


def test_a_policy_that_hides_rows_is_an_error_and_no_short_feed(products: Shop) -> None:
    products.run(
        "drop role if exists clerk",
        "create role clerk login",
        "grant select on products to clerk",
        "alter table products enable row level security",
    )
    products.address = re.sub("postgres@", "clerk@", products.address)
    with pytest.raises(FeedError, match=r"row-level security.*Remedy"):
        products.load()


def test_a_server_that_goes_away_is_worth_another_try(products: Shop) -> None:
    source = products.source()
    source.prepare(lambda message, done: None)
    everybody_else = "pid <> pg_backend_pid() and datname = current_database()"
    products.run(f"select pg_terminate_backend(pid) from pg_stat_activity where {everybody_else}")
    with pytest.raises(ServerLost, match="Remedy"):
        load_feed(products.con, source, feed("products"), "night")
    assert products.load().rows_read == 2


def test_the_night_is_the_day_after_the_last_order(shop: Shop) -> None:
    with pytest.raises(FeedError, match="No order"):
        shop.source().latest_as_of()
    shop.run(
        "create table orders (order_id text, user_id text, ordered_at timestamptz)",
        "insert into orders values ('a', 'u', '2024-05-01 23:30+00')",
    )
    assert shop.source().latest_as_of() == date(2024, 5, 2)
    assert shop.source().latest_as_of("Europe/Berlin") == date(2024, 5, 3)
