"""Every hostile file ends in rows that are set aside with their rule, or in one error that says what to do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.hostile import tables, texts, values
from tests.hostile.outcome import Case, ingest_and_validate
from warehouse.sources import FeedError

CASES = [*values.cases(), *texts.cases(), *tables.cases()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file(con: duckdb.DuckDBPyConnection, folder: Path, case: Case) -> None:
    case.write(folder)
    if case.words:
        with pytest.raises(FeedError) as caught:
            ingest_and_validate(con, folder, case.feed)
        error = caught.value
        assert error.feed == case.feed and error.file and error.remedy
        assert all(word in str(error) for word in case.words), str(error)
        assert con.execute("select count(*) from ops.loads where run_id = 'night'").fetchall() == [(0,)]
        return
    found = ingest_and_validate(con, folder, case.feed)
    assert (found.loaded, found.aside) == (case.loaded, case.aside)
    broken = {rule for rule, result in found.failed.items() if result.scope == "row"}
    assert broken - set(",".join(case.aside).split(",")) == set(case.warned)
    assert {rule for rule, result in found.failed.items() if result.scope == "table"} == set(case.stopped)


def test_the_corpus_is_large() -> None:
    assert len(CASES) >= 200
    assert len({case.name for case in CASES}) == len(CASES)
