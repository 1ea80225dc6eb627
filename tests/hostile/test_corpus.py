"""Every hostile file ends in rows that are set aside with their rule, or in one error that says what to do."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from tests.hostile import tables, texts, values
from tests.hostile.outcome import Case, differences, forget
from warehouse.feeds_check import check_folder

CASES = [*values.cases(), *texts.cases(), *tables.cases()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_hostile_file(con: duckdb.DuckDBPyConnection, folder: Path, case: Case) -> None:
    case.write(folder)
    assert differences(con, folder, case) == []
    if case.words:
        assert con.execute("select count(*) from ops.loads where run_id = 'night'").fetchall() == [(0,)]


def test_the_corpus_is_large() -> None:
    assert len(CASES) + len([*values.cases(formats=3)]) >= 300
    assert len({case.name for case in CASES}) == len(CASES)


def test_the_check_of_a_folder_finds_it_too(folder: Path) -> None:
    case = next(case for case in CASES if case.name.endswith("csv: no header"))
    case.write(folder)
    found = [finding for finding in check_folder(folder) if finding.feed == case.feed]
    assert [finding.severity for finding in found] == ["critical"] and case.words[1] in found[0].message


def test_a_file_in_the_place_of_another_is_read_anew(con: duckdb.DuckDBPyConnection, folder: Path) -> None:
    found = []
    for case in tables.cases():
        case.write(folder)
        found += differences(con, folder, case)
        forget(con, case.feed)
    assert found == []
