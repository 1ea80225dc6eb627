"""From predictions and rules to published tables: what holds for all of them."""

from __future__ import annotations

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.night import Night
from tasks.publish_release import publish_release
from tests.decisions.rules import Warehouse, rows
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.validation.rules_sql import check_table


def test_every_table_keeps_its_contract(decided: Warehouse, night: Night):
    broken = [result for table in PUBLISHED_TABLES for result in check_table(decided, table) if not result.is_passed]
    assert broken == []
    check_consistency(decided, night)


def test_the_same_night_again_gives_the_same_rows_in_whatever_order_it_reads_them(decided: Warehouse, night: Night):
    def content() -> dict[str, list[tuple]]:
        return {
            table.name: rows(decided, f"select * exclude (predicted_at) from {table.qualified_name}")
            for table in PUBLISHED_TABLES
        }

    before = content()
    read = "schema_name in ('raw', 'staging', 'features', 'predicted')"
    for (table,) in rows(decided, f"select schema_name || '.' || table_name from duckdb_tables() where {read}"):
        decided.execute(f"create temp table shuffled as from {table} order by hash(rowid)")
        decided.execute(f"delete from {table}; insert into {table} from shuffled; drop table shuffled")
    decide_actions(decided, night)
    assert content() == before
    assert before["action_queue"]


def test_tables_of_unserved_heads_are_empty(shop: Warehouse, night: Night):
    shop.execute("update ops.head_status set status = 'not_released' where head in ('pricing', 'recommendation')")
    written = decide_actions(shop, night).rows
    assert "price_recommendations" not in written
    assert rows(shop, "select count(*) from predictions.product_recommendations") == [(0,)]
    assert written["demand_forecasts"] == 240
    assert written["replenishment_recommendations"] == 59


def test_nothing_served_decides_nothing(shop: Warehouse, night: Night):
    shop.execute("delete from ops.head_status")
    shop.execute("drop schema predicted cascade")
    assert decide_actions(shop, night).rows == {"action_queue": 0}


def test_a_head_that_has_nothing_to_say_is_held_back_and_the_others_are_released(shop: Warehouse, night: Night):
    """All of the shop's products are new tonight, and none that was ever sold is on offer."""
    shop.execute("update raw.products set discontinued_at = timestamp '2017-11-01'")
    decide_actions(shop, night)
    check_consistency(shop, night)
    status = dict(rows(shop, "select head, status from ops.head_status"))
    assert {head for head in status if status[head] == "not_released"} == {"recommendation", "pricing", "supply"}
    (reason,) = rows(shop, "select reason from ops.head_status where head = 'supply'")[0]
    assert reason == "good; held back: tonight nothing can be said in replenishment_recommendations"
    assert rows(shop, "select count(*) from predictions.demand_forecasts") == [(0,)]
    assert publish_release(shop, night).rows["user_profiles"] == 40


def test_profiles(decided: Warehouse):
    profile = decided.sql("select * from predictions.user_profiles where user_id = 'user-3'").pl().to_dicts()[0]
    assert not profile["is_contactable"]
    assert [interest["category"] for interest in profile["interests"]] == ["category-1", "category-2", "category-0"]
    assert profile["segment_name"].split(", ")[1] == "regular"
    assert "expected" in profile["primary_reason"]
    stages = dict(rows(decided, "select lifecycle_stage, count(*) from predictions.user_profiles group by all"))
    assert set(stages) == {"active", "cooling", "lapsing"}
    assert rows(decided, "select distinct purchasing_power_decile from predictions.user_profiles order by 1") == [
        (decile,) for decile in range(1, 11)
    ]


def test_erased_users_are_in_no_table(shop: Warehouse, night: Night):
    shop.execute("update raw.users set erased_at = timestamp '2018-05-01' where user_id = 'user-4'")
    shop.execute("delete from staging.users where user_id = 'user-4'")
    decide_actions(shop, night)
    check_consistency(shop, night)
    for table in ("user_profiles", "product_recommendations", "promotion_recommendations"):
        assert rows(shop, f"select count(*) from predictions.{table} where user_id = 'user-4'") == [(0,)]


def test_queue_is_ranked_by_worth(decided: Warehouse, night: Night):
    queue = rows(
        decided, "select rank, value_at_stake, value_basis, do_by_date from predictions.action_queue order by rank"
    )
    assert [rank for rank, *_ in queue] == list(range(1, len(queue) + 1))
    for basis in ("margin", "revenue"):
        values = [value or 0 for _, value, kind, _ in queue if kind == basis]
        assert values == sorted(values, reverse=True)
    assert all(do_by_date >= night.as_of_date for *_, do_by_date in queue)
