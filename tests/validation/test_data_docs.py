"""Data Docs open where there is no network, and lie in one folder."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb

from tasks.night import Night
from tasks.validate_feeds import validate_feeds
from tests.validation.conftest import FEEDS, load


def test_pages_need_nothing_from_elsewhere(con: duckdb.DuckDBPyConnection, night: Night, monkeypatch) -> None:
    monkeypatch.chdir(night.home)
    night.data_docs_folder.mkdir()
    (night.data_docs_folder / "feed of yesterday.html").write_text("old")
    load(con, 1, [{}, {"units": 11.0}])

    report = validate_feeds(con, night, FEEDS)

    first = Path(report.data_docs)
    files = {path.relative_to(night.home).as_posix() for path in night.home.rglob("*") if path.is_file()}
    assert files == {f"data_docs/{name}" for name in ("index.html", "kinds.html", "order items.html", "data_docs.css")}
    pages = {path.name: path.read_text(encoding="utf-8") for path in night.data_docs_folder.glob("*.html")}
    for name, page in pages.items():
        targets = re.findall(r"""(?:src|href|action)\s*=\s*["']([^"'#][^"']*)""", page)
        assert targets, name
        assert all((first.parent / target.replace("%20", " ")).is_file() for target in targets), (name, targets)
        assert "<script" not in page
        assert not re.search(r"url\(|@import|https?://", page), name
    assert "FAIL" in pages["index.html"] and "PASS" in pages["index.html"]
    assert "units is at least 0 and at most 10 (critical)" in pages["order items.html"]
    assert "http" not in (night.data_docs_folder / "data_docs.css").read_text(encoding="utf-8")
