from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import duckdb
import pytest

from warehouse import diary
from warehouse.connect import open_memory
from warehouse.migrate import migrate

RUN = diary.Run(
    run_id="20240719-1", as_of_date=date(2024, 7, 19), source="files:x", settings_json="{}", code_version="1"
)


@pytest.fixture
def con():
    with open_memory() as con:
        migrate(con)
        yield con


def status(con: duckdb.DuckDBPyConnection, run_id: str = RUN.run_id) -> str:
    return con.execute("select status from ops.runs where run_id = $1", [run_id]).fetchall()[0][0]


def release(con: duckdb.DuckDBPyConnection) -> None:
    diary.start_run(con, RUN)
    diary.finish_run(con, RUN.run_id, "released")
    con.execute(
        "insert into ops.releases (release_number, run_id, released_at, is_current) values (1, $1, now(), true)",
        [RUN.run_id],
    )


def load(con: duckdb.DuckDBPyConnection, content_hash: str) -> None:
    con.execute(
        """insert into ops.loads (load_id, feed, input_name, content_hash, status, run_id, loaded_at)
           values (1, 'users', 'users.csv', $1, 'loaded', 'x', now())""",
        [content_hash],
    )


def test_a_night_that_never_ended_is_crashed_when_the_next_one_starts(con) -> None:
    assert diary.start_run(con, RUN) == []
    assert status(con) == "running"
    assert diary.start_run(con, replace(RUN, run_id="20240720-1")) == [RUN.run_id]
    assert (status(con), status(con, "20240720-1")) == ("crashed", "running")


def test_an_end_undoes_what_was_left_half_done(con) -> None:
    diary.start_run(con, RUN)
    con.execute("begin")
    con.execute("insert into raw.users (user_id) values ('half')")
    diary.finish_run(con, RUN.run_id, "failed", "a reason")
    assert con.execute("select count(*) from raw.users").fetchall() == [(0,)]
    assert con.execute("select status, stopped_by from ops.runs").fetchall() == [("failed", "a reason")]


def test_a_step_that_is_tried_again_is_one_row(con) -> None:
    for verdict in ("failed", "completed"):
        diary.record_step(con, RUN.run_id, "ingest_feeds", verdict, datetime.now(UTC), 1.5, "words")
    assert con.execute("select status, seconds from ops.run_steps").fetchall() == [("completed", 1.5)]


def test_the_same_night_is_recognised(con) -> None:
    load(con, "a")
    release(con)
    assert diary.equal_release(con, replace(RUN, run_id="later")) == RUN.run_id


@pytest.mark.parametrize(
    "change",
    [{"as_of_date": date(2024, 7, 20)}, {"source": "files:y"}, {"settings_json": "[]"}, {"code_version": "2"}],
)
def test_another_day_source_setting_or_code_is_another_night(con, change: dict) -> None:
    release(con)
    assert diary.equal_release(con, replace(RUN, **change)) is None


def test_another_input_is_another_night(con) -> None:
    load(con, "a")
    release(con)
    con.execute("update ops.loads set content_hash = 'b'")
    assert diary.equal_release(con, RUN) is None


def test_a_night_that_readers_no_longer_see_is_made_again(con) -> None:
    release(con)
    con.execute("update ops.releases set is_current = false")
    assert diary.equal_release(con, RUN) is None


def test_finished_nights_are_those_that_were_released(con) -> None:
    release(con)
    diary.start_run(con, replace(RUN, run_id="2", as_of_date=date(2024, 7, 20)))
    diary.finish_run(con, "2", "stopped")
    assert list(diary.finished_nights(con, "files:x", "{}", "1")) == [date(2024, 7, 19)]
    assert diary.finished_nights(con, "files:x", "{}", "2") == {}


def clock(monkeypatch: pytest.MonkeyPatch, moment: datetime) -> None:
    monkeypatch.setattr(diary, "_now", lambda: moment)


def test_a_clock_that_was_moved_back_is_refused_and_one_that_was_ahead_can_be_mended(con, monkeypatch) -> None:
    evening, noon = datetime(2024, 7, 19, 22), datetime(2024, 7, 19, 12)
    clock(monkeypatch, evening)
    diary.require_clock(con)
    diary.start_run(con, RUN)
    clock(monkeypatch, evening - timedelta(seconds=3))
    diary.require_clock(con)
    clock(monkeypatch, noon)
    with pytest.raises(diary.ClockBehind, match=r"12:00:00 UTC, but .* 22:00:00 UTC.*Remedy"):
        diary.require_clock(con)
    assert len(diary.mend_clock(con)) == 1
    assert con.execute("select started_at from ops.runs").fetchall() == [(noon,)]
    diary.require_clock(con)
    assert diary.mend_clock(con) == []
