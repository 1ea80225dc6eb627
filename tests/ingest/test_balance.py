"""Every row that came in is loaded, set aside, replaced or erased; what is none of these shows as a difference."""

from __future__ import annotations

import duckdb
import pytest

from tests.landing import Folder
from warehouse.balance import RowsUnaccounted, take_balance
from warehouse.erasure import erase_users
from warehouse.sources import FeedError, open_source

PRODUCTS = "product_id,list_price\n" + "".join(f"P{number},1.5\n" for number in range(30))


def balances(folder: Folder) -> list[tuple]:
    return folder.rows(
        "select feed, rows_read, rows_in_feed, rows_quarantined, rows_replaced, rows_erased from ops.row_balances "
        "where run_id = 'night' order by feed"
    )


def test_rows_add_up_through_versions_and_keys_that_come_again(folder: Folder) -> None:
    folder.write("products/1.csv", PRODUCTS + "X,cheap\n")
    folder.load("products", "before")
    folder.write("products/1.csv", PRODUCTS)
    folder.write("products/2.csv", "product_id,list_price\nP1,2\nP2,3\nQ,4\n")
    folder.load("products")
    said = take_balance(folder.con, "night")
    assert str(said) == "33 rows in = 31 loaded + 0 set aside + 2 replaced"
    assert balances(folder) == [("products", 64, 31, 1, 32, 0)]


def test_what_is_erased_is_booked_as_erased(folder: Folder) -> None:
    folder.write("users.csv", "user_id,erased_at\nanna,\nbert,2024-01-01\n")
    folder.write(
        "service_tickets.csv", "ticket_id,user_id,channel,contact_reason,created_at\n1,bert,mail,lost,2024-01-01\n"
    )
    for feed in ("users", "service_tickets"):
        folder.load(feed)
    erase_users(folder.con, "night")
    assert str(take_balance(folder.con, "night")) == "3 rows in = 1 loaded + 0 set aside + 0 replaced + 2 erased"
    assert balances(folder) == [("service_tickets", 1, 0, 0, 0, 1), ("users", 2, 1, 0, 0, 1)]


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        ("delete from raw.products where product_id = 'P7'", "1 are nowhere"),
        ("insert into raw.products from raw.products where product_id = 'P7'", "1 too many are there"),
        ("delete from ops.quarantined_rows", "1 are nowhere"),
        ("insert into raw.products (product_id, _load_id) values ('stray', 99)", "1 too many are there"),
    ],
)
def test_a_lost_or_doubled_row_is_found(folder: Folder, mistake: str, words: str) -> None:
    folder.write("products.csv", PRODUCTS + "X,cheap\n")
    folder.load("products")
    take_balance(folder.con, "night")
    folder.con.execute(mistake)
    with pytest.raises(RowsUnaccounted, match=words):
        take_balance(folder.con, "night")


def test_loads_of_a_version_without_a_balance_open_one(folder: Folder) -> None:
    folder.write("products.csv", PRODUCTS + "X,cheap\n")
    folder.load("products", "before")
    folder.con.execute("update ops.loads set rows_superseded = null, rows_erased = null, rows_unrecorded = null")
    folder.con.execute("update ops.quarantined_rows set load_id = null")
    folder.con.execute("delete from raw.products where product_id = 'P7'")
    take_balance(folder.con, "night")
    assert balances(folder) == [("products", 31, 29, 1, 1, 0)]
    folder.con.execute("delete from raw.products where product_id = 'P8'")
    with pytest.raises(RowsUnaccounted):
        take_balance(folder.con, "night")


def test_a_reader_that_passes_over_rows_is_found_out(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows are counted apart from their reading: here the reader stops after three."""
    from warehouse.sources.files import Files

    whole = Files._select
    monkeypatch.setattr(Files, "_select", lambda self, shape, names: whole(self, shape, names) + " limit 3")
    for name, content in (("products.csv", PRODUCTS), ("products.ndjson", '{"product_id": "A"}\n' * 9)):
        file = folder.write(name, content)
        with pytest.raises(FeedError, match="of which 3 were read") as caught:
            folder.load("products")
        assert caught.value.file == name
        file.unlink()


def test_a_file_that_changes_while_it_is_read_is_refused(folder: Folder) -> None:
    file = folder.write("products.csv", PRODUCTS)
    source = open_source(f"files:{folder.path}")
    inputs = source.inputs(folder.con, "products")
    relations = iter(source.relations(folder.con, "products", inputs))
    next(relations)
    file.write_text(PRODUCTS + "late,1\n")
    with pytest.raises(FeedError, match="changed while it was read") as caught:
        next(relations)
    assert caught.value.file == "products.csv" and "rename" in caught.value.remedy


def test_a_failed_statement_leaves_the_warehouse_open(folder: Folder) -> None:
    """What a broken file does to the database ends with its error."""
    folder.write("products.csv", "product_id\n" + '"x\n' * 9)
    with pytest.raises(FeedError):
        folder.load("products")
    assert isinstance(folder.con, duckdb.DuckDBPyConnection) and folder.rows("select 1") == [(1,)]
