"""Of a large table not all rows are in memory at once: some stand for all, or all come in parts."""

from __future__ import annotations

import duckdb
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from tasks.predict_heads import predict_tables
from tasks.read_samples import read_frames, sample_tables
from tasks.row_limits import OWNERS, choose, parts
from tasks.score_heads import read_answers
from tasks.serving import load_tonight
from tests.model_tasks.conftest import Done
from warehouse.connect import open_warehouse, release_memory

KEYS = {"recommendation": ["user_id", "product_id"], "demand": ["product_id", "site_id", "week_start"]}


@pytest.mark.parametrize("most", [500, 10**9])
def test_parts_hold_every_row_once(small: duckdb.DuckDBPyConnection, most: int) -> None:
    for table, folds in sample_tables(small).items():
        found = [
            small.execute(f"select count(*) from samples.{table} where {part}").fetchall()[0][0]
            for part in parts(table, sum(folds.values()), most)
        ]
        assert sum(found) == sum(folds.values())
        assert len(found) == 1 or table in OWNERS


def test_of_a_large_fold_some_lists_are_read_whole_and_of_a_small_one_all(small: duckdb.DuckDBPyConnection) -> None:
    counts = sample_tables(small)["recommendation"]
    most = min(counts["train"], counts["validation"]) // 2
    frames = read_frames(small, ["recommendation"], ("train", "validation"), most_rows=most)
    assert "1 in " in str(frames.choice) and "users" in str(frames.choice)
    for fold, rows in frames.samples["recommendation"].items():
        assert 0 < len(rows) < counts[fold]
        whole = small.execute(
            "select count(*) from samples.recommendation where fold = $1 group by cutoff_date, user_id", [fold]
        ).fetchall()
        lists = rows.group_by("list_number").len()["len"].to_list()
        assert set(lists) <= {size for (size,) in whole}
    everything = read_frames(small, ["recommendation"], ("train",), most_rows=sum(counts.values()))
    assert not everything.choice.shares and len(everything.samples["recommendation"]["train"]) == counts["train"]


def test_what_is_said_of_a_choice_counts_all_rows() -> None:
    counts = {"recommendation": {"train": 2_500_000, "test": 10}, "service_days": {"train": 5_000_000, "test": 10}}
    choice = choose(counts, ("train", "test"), 1_000_000)
    assert str(choice) == "1 in 3 users of 2,500,000 train rows of recommendation"
    assert set(choice.only) == {"recommendation"}


def test_predictions_in_parts_are_those_of_the_whole(done: Done) -> None:
    rows = min(sample_tables(done.con)[table]["serve"] for table in KEYS)
    model = done.night.model.model_copy(update={"most_rows": rows // 3})
    in_parts: dict[str, list[pl.DataFrame]] = {}
    for table, part in predict_tables(done.con, done.night.model_copy(update={"model": model}), KEYS):
        in_parts.setdefault(table, []).append(part)
    assert in_parts.keys() == KEYS.keys()
    for table, found in in_parts.items():
        assert len(found) > 1
        whole = done.con.sql(f"from predicted.{table}").pl()
        assert_frame_equal(pl.concat(found).sort(KEYS[table]), whole.sort(KEYS[table]), check_column_order=False)


def test_lists_are_measured_against_what_their_own_users_bought(done: Done) -> None:
    rows = sample_tables(done.con)["recommendation"]["test"]
    frames = read_frames(done.con, ["recommendation"], ("test",), most_rows=rows // 3)
    lists = read_answers(
        done.con, "recommendation", load_tonight(done.night).score(frames, "test", ("recommendation",))
    ).lists
    everybody = read_frames(done.con, ["recommendation"], ("test",))
    all_lists = read_answers(
        done.con, "recommendation", load_tonight(done.night).score(everybody, "test", ("recommendation",))
    ).lists
    assert lists is not None and all_lists is not None
    assert 0 < len(lists.relevant) < len(all_lists.relevant)
    assert len(lists.lists) == len(lists.is_bought) and lists.lists.max() < len(lists.relevant)


def test_memory_is_given_back_and_the_limit_stays(tmp_path) -> None:
    with open_warehouse(tmp_path / "warehouse.duckdb", memory_limit="400MB") as con:
        limit = con.execute("select current_setting('memory_limit')").fetchall()
        con.execute("create temp table filler as select random() as value from range(15_000_000)")
        used = "select sum(memory_usage_bytes) from duckdb_memory()"
        before = con.execute(used).fetchall()[0][0]
        release_memory(con)
        assert con.execute(used).fetchall()[0][0] < before
        assert con.execute("select current_setting('memory_limit')").fetchall() == limit
        assert con.execute("select count(value) from filler").fetchall() == [(15_000_000,)]
