"""A released night that PostgreSQL and a bucket cannot be given, then can; and what of their secrets stays behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from prefect.blocks.system import Secret
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import LogFilter, LogFilterFlowRunId
from prefect.client.schemas.sorting import FlowRunSort

from flows import nightly
from flows.look import look
from flows.prefect_server import deliver_the_rest
from flows.secrets import load_secrets
from flows.settings import Settings, SettingsError, load_settings
from flows.tonight import run_night
from tests.flows.conftest import TINY, Released
from tests.object_storage import server as s3
from tests.postgres import server as postgres
from tests.traces import traces
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.object_storage.store import Store
from warehouse.postgres.address import parse_address
from warehouse.postgres.session import Session

LATEST = FlowRunSort.START_TIME_DESC
# Digits with an e: a password that must not be read as a number.
PASSWORD, KEY_ID, KEY = "8812739471102e17", "canary-of-a-key-id", "canary-of-a-secret-key"
AWAY = {
    "postgres": "postgresql://ann@127.0.0.1:9/shop",
    "postgres_password_block": "analytics-password",
    "parquet": "s3://analytics/fivefold",
}


@pytest.fixture
def blocks(prefect_server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Password and keys as Prefect keeps them, and a bucket's address that nobody answers at."""
    Secret(value=PASSWORD).save("analytics-password", overwrite=True)
    Secret(value=json.dumps({"AWS_ACCESS_KEY_ID": KEY_ID, "AWS_SECRET_ACCESS_KEY": KEY})).save("keys", overwrite=True)
    # A token of other keys must not travel along with those of the block.
    environment = {"AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1", "AWS_SESSION_TOKEN": "a-token-of-other-keys"}
    for name, value in {**environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9"}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def database() -> Iterator[str]:
    """The address of a database of ann's, who is asked for her password."""
    programs = postgres.find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql, or brew install postgresql")
    with postgres.running_server(programs) as address:
        with Session(parse_address(address), None) as session:
            session.run(f"create role ann login password '{PASSWORD}'")
            session.run("create database shop owner ann")
        yield address.replace("postgres@", "ann@").removesuffix("postgres") + "shop"


@pytest.fixture
def endpoint() -> Iterator[str]:
    if not s3.is_installed():
        pytest.skip("no S3 server here: make .venv-moto/.installed")
    with s3.running_server() as address:
        s3.make_bucket(address, "analytics")
        yield address


def sending(home: Path, shop_folder: Path, **publish: str) -> Settings:
    return load_settings(
        home=home, source=f"files:{shop_folder}", publish={**AWAY, **publish}, s3_keys_block="keys", **TINY
    )


def test_a_night_that_was_not_sent_is_sent_the_next_time_and_keeps_no_secret(
    released: Released,
    blocks: None,
    database: str,
    endpoint: str,
    tmp_path: Path,
    shop_folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for sender in ("send", "deliver"):
        at_once = getattr(nightly, sender).with_options(retries=1, retry_delay_seconds=0)
        monkeypatch.setattr(nightly, sender, at_once)
    home = shutil.copytree(released.home, tmp_path / "home", symlinks=True)
    unsent = run_night(sending(home, shop_folder), is_quiet=True)
    assert (unsent.status, unsent.exit_code) == ("unsent", 5), unsent.message
    for place in ("PostgreSQL: ", "object storage: s3://analytics/fivefold says: "):
        assert f"; not in {place}" in unsent.message
    assert unsent.message.count("Remedy: ") == 2
    assert look(home).nights[0]["status"] == "skipped", "nothing but the sending was left to do"

    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    sent = run_night(sending(home, shop_folder, postgres=database), is_quiet=True)
    assert (sent.status, sent.exit_code) == ("unchanged", 0), sent.message

    # Both places hold what the published file holds.
    keys = load_secrets(sending(home, shop_folder)).s3_keys
    store = Store(AWAY["parquet"], keys)
    told = json.loads(store.read("latest.json") or b"")
    assert told["run_id"] == released.outcome.run_id and len(told["tables"]) == len(PUBLISHED_TABLES)
    queue = pl.read_parquet(store.read(told["tables"]["action_queue"]["file"]) or b"")
    with Session(parse_address(database), PASSWORD) as session:
        (in_postgres,) = session.run("select count(*) from predictions.action_queue_latest")
    assert len(queue) == in_postgres[0] > 0

    deliver_the_rest()
    with get_client(sync_client=True) as client:
        runs = [run for run in client.read_flow_runs(sort=LATEST, limit=20) if str(home) in str(run.parameters)]
        these = LogFilter(flow_run_id=LogFilterFlowRunId(any_=[run.id for run in runs]))
        logged = "\n".join(log.message for log in client.read_logs(these))
        shown = "\n".join(str(artifact.data) for artifact in client.read_artifacts())
        given = json.dumps([run.parameters for run in runs])
    assert "rows copied" in logged and "rows written" in logged and AWAY["parquet"] in given, "nobody had need of them"
    assert not [secret for secret in (PASSWORD, KEY_ID, KEY) if secret in logged + shown + given]
    written = traces([PASSWORD, KEY_ID, KEY, AWAY["parquet"]], home, Path(os.environ["PREFECT_HOME"]))
    assert {word for _, word in written} == {AWAY["parquet"]}, "where it went is no secret, and shows that this looks"


@pytest.mark.parametrize("content", ["canary of words", "[1]", {"AWS_ACCESS_KEY_ID": KEY_ID}, {"key": KEY}])
def test_a_block_without_keys_is_refused_in_words_that_do_not_repeat_it(content: object, prefect_server: str) -> None:
    Secret(value=content).save("no-keys", overwrite=True)
    with pytest.raises(SettingsError, match=r"s3_keys_block.*AWS_SECRET_ACCESS_KEY") as refused:
        load_secrets(load_settings(s3_keys_block="no-keys"))
    assert not [told for told in ("canary of words", KEY_ID, KEY) if told in str(refused.value)]
