from __future__ import annotations

from pathlib import Path

import pytest

from tests.landing import Folder, empty_warehouse
from warehouse.connect import open_read_only, open_warehouse
from warehouse.erasure import erase_users, pending, rewrite_warehouse
from warehouse.loads import plain_strings

USERS = "user_id,created_at,erased_at\nanna,2024-01-01,\nbert,2024-01-01,{erased}\n"
ORDERS = "order_id,user_id,ordered_at,order_total\n1,anna,2024-02-01,10\n2,bert,2024-02-02,20\n"
EVENTS = (
    "event_id,event_type,event_at,user_id,visitor_id\n"
    "1,search,2024-02-01,bert,phone\n2,search,2024-02-01,,phone\n3,search,2024-02-01,anna,phone\n4,search,2024-02-01,,pc\n"
)


def _land(folder: Folder, erased: str) -> None:
    folder.write("users.csv", USERS.format(erased=erased))
    folder.write("orders.csv", ORDERS)
    folder.write("behaviour_events.csv", EVENTS)
    folder.write("campaign_targets.csv", "campaign_id,user_id\nc,anna\nc,bert\n")
    for name in ("users", "orders", "behaviour_events", "campaign_targets"):
        folder.load(name)


def test_nobody_is_erased_who_did_not_ask(folder: Folder) -> None:
    _land(folder, erased="")
    before = folder.rows("select * from raw.orders order by all")
    assert erase_users(folder.con, "night") == 0
    assert folder.rows("select * from raw.orders order by all") == before


def test_what_is_kept_of_the_user_s_predictions_goes_too(folder: Folder) -> None:
    _land(folder, erased="2024-03-01")
    for table in ("user_profiles", "product_recommendations", "promotion_recommendations"):
        folder.con.execute(f"insert into kept.{table} by name select unnest(['anna', 'bert']) as user_id")
    erase_users(folder.con, "night")
    for table in ("user_profiles", "product_recommendations", "promotion_recommendations"):
        assert folder.rows(f"select user_id from kept.{table}") == [("anna",)]


def test_erased_user_is_gone_and_demand_stays(folder: Folder) -> None:
    _land(folder, erased="2024-03-01")
    assert erase_users(folder.con, "night") == 1
    assert folder.rows("select user_id from raw.users") == [("anna",)]
    assert folder.rows("select user_id, order_total::int from raw.orders order by order_id") == [
        ("anna", 10),
        ("erased", 20),
    ]
    assert folder.rows("select event_id from raw.behaviour_events order by all") == [("3",), ("4",)]
    assert folder.rows("select user_id from raw.campaign_targets") == [("anna",)]
    assert "bert" not in str(folder.rows("select * from ops.erased_users"))


def test_no_later_file_brings_an_erased_user_back(folder: Folder) -> None:
    _land(folder, erased="2024-03-01")
    erase_users(folder.con, "night")
    folder.write("orders.csv", ORDERS + "3,bert,2024-02-03,30\n")
    folder.write("users.csv", USERS.format(erased=""))
    folder.load("orders", run_id="next night")
    folder.load("users", run_id="next night")
    assert erase_users(folder.con, "next night") == 0
    assert folder.rows("select user_id from raw.users") == [("anna",)]
    assert folder.rows("select order_id from raw.orders where user_id = 'bert'") == []


def test_quarantine_forgets_too(folder: Folder) -> None:
    good = "".join(f"u{number},1,\n" for number in range(300))
    folder.write("users.csv", f"user_id,household_size,erased_at\n{good}carl,many,2024-03-01\nbert,2,2024-03-01\n")
    folder.load("users")
    folder.con.execute(
        "insert into ops.quarantined_rows (run_id, table_name, row_number, row_json) "
        """values ('night', 'orders', 1, '{"user_id":"bert"}')"""
    )
    erase_users(folder.con, "night")
    assert folder.rows("select row_json from ops.quarantined_rows where row_json like '%bert%'") == []


def test_experiments_and_people_s_decisions_forget_too(folder: Folder) -> None:
    _land(folder, erased="2024-03-01")
    folder.write(
        "decisions.csv",
        "decision_id,head,user_id,action,decided_at,valid_until\n"
        "d1,profile,bert,rejected,2024-02-01,2024-04-01\nd2,profile,anna,rejected,2024-02-01,2024-04-01\n",
    )
    folder.load("decisions")
    folder.con.execute(
        "insert into ops.experiment_assignments by name select unnest(['anna', 'bert']) as user_id, 'holdout' as "
        "experiment, 'served' as variant, date '2024-02-01' as assigned_on, 'night' as run_id"
    )
    erase_users(folder.con, "night")
    assert folder.rows("select user_id from ops.experiment_assignments") == [("anna",)]
    assert folder.rows("select user_id from raw.decisions") == [("anna",)]


def test_a_row_of_the_quarantine_may_have_the_user_anywhere(folder: Folder) -> None:
    _land(folder, erased="2024-03-01")
    folder.con.execute(
        """insert into ops.quarantined_rows (run_id, table_name, row_number, row_key, row_json) values
        ('night', 'redemptions', 1, '{"redemption_id": "1"}', '{"redemption_id": "1", "USER": "bert"}'),
        ('night', 'users', 2, '{"user_id": "bert"}', null), ('night', 'users', 3, '{"user_id": "anna"}', null),
        ('night', 'users', 4, '{}', '{"user_id": null}')"""
    )
    erase_users(folder.con, "night")
    assert folder.rows("select row_number from ops.quarantined_rows order by all") == [(3,), (4,)]


IDS = ["aaron-the-first", "berta-in-the-middle", "zoe-the-last"]


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """The path of a warehouse that was closed after some of its users were erased; others are still there."""
    path = tmp_path / "warehouse.duckdb"
    with empty_warehouse(path) as con, plain_strings(con):
        con.execute(
            """insert into raw.users by name
            select user_id, timestamp '2024-01-01' as created_at, if(user_id in $1, current_date, null) as erased_at
            from (select unnest($1) as user_id union all select format('someone-{}', range) from range(5000))""",
            [IDS],
        )
        con.execute("checkpoint")
        con.execute("insert into raw.campaign_targets by name select user_id, 'c' as campaign_id from raw.users")
        con.execute("create schema samples")
        con.execute("create table samples.profile as select user_id, 1.5 as spend from raw.users order by all")
        con.execute("checkpoint")
        assert erase_users(con, "night") == len(IDS)
    return path


def test_deleted_rows_are_in_no_byte_of_the_warehouse(closed: Path) -> None:
    assert any(name.encode() in closed.read_bytes() for name in IDS), "a test that could not fail"
    with open_read_only(closed) as con:
        tables = {table: con.execute(f"from {table}").fetchall() for table in ("raw.users", "samples.profile")}
    assert rewrite_warehouse(closed)
    assert not [name for name in IDS if name.encode() in closed.read_bytes()]
    assert [path.name for path in closed.parent.iterdir()] == ["warehouse.duckdb"]
    with open_warehouse(closed) as con:
        assert {table: con.execute(f"from {table}").fetchall() for table in tables} == tables
        assert con.execute("select bool_and(forgotten_at is not null) from ops.erased_users").fetchall() == [(True,)]
        assert pending(con) == []
    assert not rewrite_warehouse(closed), "once is enough"


def test_who_is_delivered_again_is_forgotten_again(closed: Path) -> None:
    rewrite_warehouse(closed)
    with open_warehouse(closed) as con:
        con.execute("insert into raw.users by name select $1 as user_id", [IDS[1]])
        assert erase_users(con, "next night") == 0 and len(pending(con)) == 1
    assert rewrite_warehouse(closed) and IDS[1].encode() not in closed.read_bytes()


def test_a_rewrite_that_fails_changes_nothing(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = closed.read_bytes()
    monkeypatch.setattr("warehouse.erasure._FORGOTTEN", "select error('the disk is full')")
    with pytest.raises(Exception, match="the disk is full"):
        rewrite_warehouse(closed)
    assert closed.read_bytes() == before
    monkeypatch.undo()
    assert rewrite_warehouse(closed), "the next night begins anew, over what was left"


def test_a_warehouse_larger_than_the_memory_is_written_anew(closed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with open_warehouse(closed) as con:
        con.execute(
            "create table samples.wide as select hash(range) as a, hash(a) as b, hash(b) as c from range(3e6::int)"
        )
        total = con.execute("select sum(c), sum(hash(rowid, a)) from samples.wide").fetchall()
    assert closed.stat().st_size > 35e6
    monkeypatch.setattr("warehouse.rewrite.MEMORY_LIMIT", "20MB")
    assert rewrite_warehouse(closed)
    with open_warehouse(closed) as con:
        assert con.execute("select sum(c), sum(hash(rowid, a)) from samples.wide").fetchall() == total
