"""Files that chance has spoilt, and texts that chance has written."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from tests.hostile.good import ROWS, as_csv, as_ndjson, as_parquet, good_rows
from tests.hostile.mutate import mutated
from tests.hostile.outcome import Case, forget, ingest_and_validate
from warehouse.sources import FeedError

texts = st.text(st.characters(codec="utf-8"), max_size=12)


@pytest.mark.parametrize("seed", range(16))
def test_an_accident_ends_in_one_error_or_in_rows_that_add_up(
    con: duckdb.DuckDBPyConnection, folder: Path, seed: int
) -> None:
    name, content = mutated(seed)
    Case("", name, content).write(folder)
    try:
        found = ingest_and_validate(con, folder)
    except FeedError as error:
        assert error.file and error.remedy
    else:
        assert found.rows_read == found.loaded + sum(found.aside.values())


@settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(regions=st.lists(texts, min_size=1, max_size=ROWS))
@example(regions=['a"b', "a,b", "a;b\tc|d", "a\nb", "a\r\nb", "\r", '""', "'", "\\", "\\N", "null", "\ufeff", "\u2028"])
@pytest.mark.parametrize("kind", ["csv", "ndjson", "parquet"])
def test_a_text_is_loaded_to_the_letter_or_set_aside(
    con: duckdb.DuckDBPyConnection, folder: Path, kind: str, regions: list[str]
) -> None:
    regions = [region for region in regions if "\0" not in region or kind != "csv"]
    rows = [{**row, "region": region} for row, region in zip(good_rows("users"), regions, strict=False)]
    if not rows:
        return
    form = {"csv": as_csv, "ndjson": as_ndjson, "parquet": as_parquet}[kind]
    Case("", f"users.{kind}", form(rows)).write(folder)
    try:
        ingest_and_validate(con, folder, "users")
        loaded = dict(con.execute("select user_id, region from raw.users where user_id like 'new-%'").fetchall())
    except FeedError as error:
        # More texts with a NUL than the contract tolerates, or line ends of two kinds within one CSV file.
        assert error.rule == "region_parses" or "\r" in "".join(regions)
        return
    finally:
        forget(con, "users")
    assert loaded == {
        row["user_id"]: (row["region"].strip(" \t\r\n") and row["region"]) or None
        for row in rows
        if "\0" not in row["region"]
    }
