from __future__ import annotations

import pytest

from tests.landing import Folder
from warehouse.sources import FeedError

PRODUCTS = "product_id,brand\nA,one\nB,two\n"
ALL = "select product_id, brand from raw.products order by all"


def test_same_content_is_loaded_once(folder: Folder) -> None:
    folder.write("products.csv", PRODUCTS)
    first = folder.load("products")
    before = folder.rows("select * from raw.products order by all"), folder.rows("select * from ops.loads")
    again = folder.load("products", run_id="next night")
    assert (first.inputs_loaded, first.rows_read, first.inputs_skipped) == (1, 2, 0)
    assert (again.inputs_loaded, again.rows_read, again.inputs_skipped) == (0, 0, 1)
    assert before == (folder.rows("select * from raw.products order by all"), folder.rows("select * from ops.loads"))


def test_changed_file_replaces_its_own_rows_only(folder: Folder) -> None:
    folder.write("products/1.csv", PRODUCTS)
    folder.write("products/2.csv", "product_id,brand\nC,three\n")
    folder.load("products")
    folder.write("products/1.csv", "product_id,brand\nA,uno\n")
    changed = folder.load("products")
    assert folder.rows(ALL) == [("A", "uno"), ("C", "three")]
    assert (changed.inputs_loaded, changed.inputs_skipped, changed.rows_replaced) == (1, 1, 2)
    assert folder.rows("select input_name, status, rows_read, rows_replaced from ops.loads order by load_id") == [
        ("products/1.csv", "replaced", 2, 0),
        ("products/2.csv", "loaded", 1, 0),
        ("products/1.csv", "loaded", 1, 2),
    ]


def test_late_file_is_picked_up(folder: Folder) -> None:
    folder.write("products/2024-02.csv", "product_id,brand\nB,two\n")
    folder.load("products")
    folder.write("products/2024-01.csv", "product_id,brand\nA,one\n")
    assert folder.load("products").inputs_loaded == 1
    assert folder.rows(ALL) == [("A", "one"), ("B", "two")]


@pytest.mark.parametrize("nights", [1, 2])
def test_of_two_inputs_with_one_key_the_later_wins(folder: Folder, nights: int) -> None:
    folder.write("products/1.csv", PRODUCTS)
    if nights == 2:
        folder.load("products")
    folder.write("products/2.csv", "product_id,brand\nB,zwei\n")
    assert folder.load("products").rows_replaced == 1
    assert folder.rows(ALL) == [("A", "one"), ("B", "zwei")]


def test_rows_with_one_key_in_one_input_stay_for_the_validation(folder: Folder) -> None:
    folder.write("products.csv", "product_id,brand\nA,one\nA,two\n")
    folder.load("products")
    assert folder.rows(ALL) == [("A", "one"), ("A", "two")]


def test_one_broken_file_leaves_nothing_half_loaded(folder: Folder) -> None:
    folder.write("products/1.csv", PRODUCTS)
    folder.load("products")
    before = folder.rows(ALL), folder.rows("select * from ops.loads")
    folder.write("products/1.csv", "product_id,brand\nA,changed\n")
    folder.write("products/2.csv", "product_id,brand\nC,three\n")
    folder.write("products/3.csv", "product_id,brand\nD,four\nE\n")
    with pytest.raises(FeedError) as caught:
        folder.load("products")
    assert caught.value.feed == "products"
    assert caught.value.file == "products/3.csv"
    assert "line 3" in str(caught.value)
    assert before == (folder.rows(ALL), folder.rows("select * from ops.loads"))


def test_missing_required_column_names_file_column_and_nearest(folder: Folder) -> None:
    folder.write("orders.csv", "order_id,userid,ordered_at\n1,u,2026-03-01\n")
    with pytest.raises(FeedError, match="'user_id' is missing") as caught:
        folder.load("orders")
    assert caught.value.file == "orders.csv"
    assert "rename 'userid'" in caught.value.remedy
    assert folder.rows("select * from ops.loads") == []


def test_unknown_columns_are_reported_and_recorded(folder: Folder) -> None:
    folder.write("products/1.csv", "product_id,colour,Brand\nA,red,one\n")
    folder.write("products/2.csv", "product_id\nB\n")
    assert folder.load("products").unknown_columns == ("colour",)
    assert folder.rows("select unknown_columns from ops.loads order by load_id") == [("colour",), (None,)]
    assert folder.rows(ALL) == [("A", "one"), ("B", None)]


def test_rows_that_do_not_parse_are_kept_in_quarantine(folder: Folder) -> None:
    good = "".join(f"P{number},1.5\n" for number in range(200))
    folder.write("products.csv", f"product_id,list_price,size\nP,,\n{good}".replace("1.5\n", "1.5,S\n") + "X,cheap,S\n")
    loaded = folder.load("products")
    assert (loaded.rows_read, loaded.rows_quarantined) == (202, 1)
    assert folder.rows("select count(*) from raw.products") == [(201,)]
    assert folder.rows(
        "select run_id, table_name, row_number, row_key, broken_rules, row_json, input_name from ops.quarantined_rows"
    ) == [
        (
            "night",
            "products",
            1,
            '{"product_id":"X"}',
            "list_price_parses",
            '{"product_id":"X","list_price":"cheap","size":"S"}',
            "products.csv",
        )
    ]


def test_too_many_rows_that_do_not_parse_stop_the_feed(folder: Folder) -> None:
    folder.write("products.csv", "product_id,list_price\nA,1\nB,cheap\nC,dear\n")
    with pytest.raises(FeedError) as caught:
        folder.load("products")
    error = caught.value
    assert (error.file, error.row, error.rule) == ("products.csv", 2, "list_price_parses")
    assert "'cheap'" in error.problem
    assert "2 of 3 rows" in error.problem
    assert folder.rows("select count(*) from ops.quarantined_rows") == [(0,)]


def test_an_error_does_not_quote_what_tells_about_a_person(folder: Folder) -> None:
    folder.write("users.csv", "user_id,household_size\nu,secret\n")
    with pytest.raises(FeedError) as caught:
        folder.load("users")
    assert "household_size" in str(caught.value)
    assert "secret" not in str(caught.value)
