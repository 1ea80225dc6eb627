"""What comes in is data, never code; nothing gets out that a night was only lent, or told to forget."""

from __future__ import annotations

import json
import os
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from prefect.client.orchestration import get_client

from flows.look import query_published
from tests.flows.conftest import SECRET, Released
from tests.shop import CANARY_DOMAIN, HOSTILE_PRODUCT, HOSTILE_TITLES
from tests.traces import traces
from warehouse.connect import open_read_only
from warehouse.export import export_release


@pytest.fixture(scope="module")
def prefect_home() -> Path:
    return Path(os.environ["PREFECT_HOME"])


def test_a_product_called_like_a_statement_is_a_product(released: Released) -> None:
    assert released.outcome.exit_code == 0, released.outcome.message
    query = "select count(*) from predictions.{} where product_id = $1"
    with open_read_only(released.link) as con:
        for table in ("price_recommendations", "demand_forecasts"):
            assert con.execute(query.format(table), [HOSTILE_PRODUCT]).fetchall()[0][0] > 0
    with open_read_only(released.home / "warehouse.duckdb") as con:
        titles = {title for (title,) in con.execute("select product_title from raw.products").fetchall()}
    assert all(any(title.startswith(hostile) for title in titles) for hostile in HOSTILE_TITLES)


class Page(HTMLParser):
    """The tags of a page with their attributes, and its text."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_report_shows_titles_as_they_are_and_runs_none(released: Released) -> None:
    (file,) = (released.home / "reports").glob("*.html")
    page = Page(file.read_text())
    assert HOSTILE_TITLES[0] in page.text, "a page without the title proves nothing"
    scripts = [given.get("type") for tag, given in page.tags if tag == "script"]
    assert scripts.count(None) == 2 and set(scripts) == {None, "application/json"}
    policy = next(given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and policy.startswith("default-src 'none'") and "unsafe" not in policy
    for tag, given in page.tags:
        assert not [name for name in given if name.startswith("on")], (tag, given)
        for name in ("src", "href"):
            assert re.match(r"(#|data:)", given.get(name) or "#"), (tag, given)


def test_data_docs_run_nothing_and_load_their_own_style_only(released: Released) -> None:
    for file in (released.home / "data_docs").glob("*.html"):
        page = Page(file.read_text())
        assert "script" not in {tag for tag, _ in page.tags}, file
        policies = [given["content"] for _, given in page.tags if given.get("http-equiv") == "Content-Security-Policy"]
        assert len(policies) == 1 and "script-src" not in policies[0] and "default-src 'none'" in policies[0]
        assert not [
            given for _, given in page.tags if re.match(r"(https?:)?//", given.get("src") or given.get("href") or "")
        ]


def test_what_a_night_was_not_asked_to_read_is_nowhere(
    released: Released, prefect_home: Path, shop_folder: Path
) -> None:
    assert traces([CANARY_DOMAIN], shop_folder), "a shop without the canary proves nothing"
    assert traces([CANARY_DOMAIN], released.home, prefect_home) == set()


def test_a_secret_is_nowhere(released: Released, prefect_home: Path) -> None:
    with get_client(sync_client=True) as client:
        run = next(run for run in client.read_flow_runs() if released.home.name in json.dumps(run.parameters))
        logged = [log.message for log in client.read_logs() if log.flow_run_id == run.id]
    assert [line for line in logged if "notification" in line or "notified" in line], "nobody had need of the secret"
    assert traces([SECRET], released.home, prefect_home) == set()


def test_prefect_knows_no_person(released: Released) -> None:
    """Its database is not ours to rewrite when somebody is erased."""
    queue = "select object_id, action from predictions.action_queue_latest where object_type = 'user'"
    people = [person for person, _ in query_published(released.home, queue)[1]]
    with get_client(sync_client=True) as client:
        shown = "\n".join(str(artifact.data) for artifact in client.read_artifacts())
        logged = "\n".join(log.message for log in client.read_logs())
    assert not re.findall(r"\bu0\d{3}\b", shown + logged)
    assert people, "no person was in the queue, so that nothing could have been told"


def test_only_the_group_may_read_and_nobody_writes_what_readers_have(released: Released) -> None:
    modes = {path: path.stat().st_mode & 0o777 for path in released.home.rglob("*") if not path.is_symlink()}
    assert {str(path): oct(mode) for path, mode in modes.items() if mode & 0o027} == {}
    assert {modes[path] for path in (released.home / "published").iterdir()} == {0o440}


def test_the_exported_table_has_no_formula(released: Released, tmp_path: Path) -> None:
    export_release(released.link.resolve(), tmp_path, "csv")
    cells = [cell for file in tmp_path.rglob("*.csv") for cell in re.split(r'[,\n]"?', file.read_text())]
    assert len(cells) > 1000
    assert not [cell for cell in cells if re.match(r"[=@\t]|[+-](?![\d.])", cell)]
