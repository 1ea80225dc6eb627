"""Who is told what about the end of a night, with a local service in the place of Slack."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
import yaml
from prefect import flow
from prefect.automations import Automation
from prefect.blocks.notifications import CustomWebhookNotificationBlock
from prefect.client.orchestration import get_client
from prefect.runtime import flow_run
from prefect.states import Completed, Crashed, Failed
from pydantic import SecretStr

from flows.flow_runs import KILLED
from flows.messages import STOPPED, UNCHANGED, Message, message_of
from flows.nightly import nightly
from flows.notify import send, tell
from flows.settings import SettingsError, load_settings
from tasks.gates import GateStopped
from tests.flows.conftest import Released
from tests.flows.sink import Sink, sink
from warehouse import morning
from warehouse.connect import open_memory
from warehouse.migrate import migrate

OPERATIONS = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()


@pytest.fixture
def service() -> Iterator[Sink]:
    with sink() as kept:
        yield kept


class Run:
    """As much of a flow run as a message needs."""

    def __init__(self, name: str = "night of 2026-03-14") -> None:
        self.name = name


def told(state, **flags) -> Message | None:
    return message_of("nightly", Run(), state, load_settings(**flags))  # type: ignore[arg-type]


def test_a_stopped_night_says_what_why_and_what_to_do(tmp_path: Path) -> None:
    stop = GateStopped("data", "orders break user_id_exists in 31 of 100 rows.", "deliver orders again.")
    message = told(Failed(name=STOPPED, message=str(stop), data=stop), home=tmp_path)
    assert message is not None
    assert message.title == "Fivefold: night of 2026-03-14 was stopped by a gate"
    lines = message.body.splitlines()
    assert lines[0].startswith("What: ") and "readers keep the release before" in lines[0]
    assert lines[1] == "Why: data gate: orders break user_id_exists in 31 of 100 rows."
    assert lines[2] == "What to do: deliver orders again."
    assert lines[3] == f"Home: {tmp_path}"


def test_a_failure_and_a_killed_night_have_a_remedy_too() -> None:
    failed = told(Failed(message="Flow run encountered an exception", data=ValueError("no room")))
    assert failed is not None and "failed" in failed.title and "Why: ValueError: no room" in failed.body
    crashed = told(Crashed(message=KILLED))
    assert crashed is not None and "crashed" in crashed.title and f"Why: {KILLED}" in crashed.body
    assert all("What to do: " in message.body for message in (failed, crashed))


@pytest.mark.parametrize("state", [Completed(message="released nothing-there"), Completed(name=UNCHANGED)])
def test_nobody_is_told_that_all_is_well(tmp_path: Path, state) -> None:
    assert told(state, home=tmp_path) is None


def test_heads_held_back_and_new_alerts_are_to_be_looked_at() -> None:
    with open_memory() as con:
        migrate(con)
        con.execute(
            "insert into ops.head_status (run_id, head, status, reason) values "
            "('n', 'supply', 'champion', 'lost'), ('n', 'profile', 'released', 'beats naive'), "
            "('n', 'service', 'not_ready', 'no tickets'), ('n', 'pricing', 'not_released', 'lost'), "
            "('before', 'profile', 'not_released', 'lost')"
        )
        con.execute(
            "insert into ops.alerts (run_id, as_of_date, alert_number, kind, subject, message, remedy, about_run_id, "
            "is_new) values ('n', $1, 1, 'drift', 'users.age', 'it moved', 'look', 'n', true), "
            "('n', $1, 2, 'drift', 'users.old', 'it moved', 'look', 'n', false)",
            [date(2026, 3, 14)],
        )
        found = [(row["subject"], row["finding"]) for row in morning.attention(con, "n")]
    assert found == [
        ("pricing", "it is not released: lost"),
        ("supply", "an older model serves it: lost"),
        ("users.age", "it moved"),
    ]


def test_a_released_night_tells_what_to_look_at(released: Released) -> None:
    state = Completed(message=f"released {released.outcome.run_id}")
    message = told(state, home=released.home)
    with_findings = [row for row in morning_of(released) if row["subject"]]
    assert (message is not None) == bool(with_findings)
    if message:
        assert f"{len(with_findings)} to look at" in message.title and with_findings[0]["subject"] in message.body


def morning_of(released: Released) -> list[morning.Row]:
    from warehouse.connect import open_read_only

    with open_read_only(released.link) as con:
        return morning.attention(con, released.outcome.run_id or "")


def test_an_apprise_url_gets_the_message(service: Sink) -> None:
    failures = send([SecretStr(f"json://127.0.0.1:{service.port}/token")], Message(title="a", body="b"))
    assert failures == []
    (got,) = service.received
    assert (got["title"], got["message"]) == ("a", "b")


def test_a_block_gets_the_message(prefect_server: str, service: Sink) -> None:
    webhook(service).save("ops", overwrite=True)
    assert send([SecretStr("custom-webhook/ops")], Message(title="a", body="b")) == []
    assert service.received == [{"subject": "a", "text": "b"}]


def webhook(service: Sink) -> CustomWebhookNotificationBlock:
    return CustomWebhookNotificationBlock(
        name="ops",
        url=f"http://127.0.0.1:{service.port}",
        json_data={"subject": "{{subject}}", "text": "{{body}}"},
    )


def test_what_is_not_delivered_is_said_without_its_address(
    prefect_server: str, service: Sink, capfd: pytest.CaptureFixture[str]
) -> None:
    service.status = 500
    targets = [f"json://127.0.0.1:{service.port}/token", "no-such-service://token", "slack-webhook/no-such-token"]
    failures = send([SecretStr(target) for target in targets], Message(title="a", body="b"))
    assert [re.findall(r"notification (\d) of 3 by (\S+) failed", failure) for failure in failures] == [
        [("1", "json")],
        [("2", "no-such-service")],
        [("3", "slack-webhook/no-such-token")],
    ]
    assert all("Remedy" in failure for failure in failures)
    assert not [said for said in (*failures, *capfd.readouterr()) if f"{service.port}" in said or "://token" in said]


def test_the_hook_tells_and_never_changes_the_end(
    prefect_server: str, service: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"json://127.0.0.1:{service.port}/token"
    monkeypatch.setenv("FIVEFOLD_NOTIFY", f'["{url}", "json://127.0.0.1:9/token"]')

    @flow(name="nightly", flow_run_name="night of 2026-03-14", on_failure=[tell], persist_result=False)
    def stopped(settings: dict) -> None:
        with get_client(sync_client=True) as client:
            client.update_flow_run(UUID(flow_run.id), name="night of 2026-03-15")
        raise GateStopped("release", "tonight's file is not fit.", "see ops.quality_checks.")

    state = stopped({"home": str(tmp_path)}, return_state=True)
    assert state.is_failed() and "not fit" in str(state.message)
    (got,) = service.received
    assert got["title"] == "Fivefold: night of 2026-03-15 failed"
    assert "What to do: see ops.quality_checks." in got["message"]


def test_the_night_is_hooked_and_its_parameters_keep_no_secret(
    prefect_server: str, service: Sink, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FIVEFOLD_NOTIFY", f'["json://127.0.0.1:{service.port}/token"]')
    settings = load_settings(home=tmp_path, source=f"files:{tmp_path / 'nowhere'}")
    state = nightly(settings=settings, return_state=True)
    assert state.is_failed()
    (got,) = service.received
    assert "nowhere" in got["message"] and "What to do" in got["message"]
    with get_client(sync_client=True) as client:
        run = client.read_flow_run(state.state_details.flow_run_id)
        logs = "".join(log.message for log in client.read_logs())
    assert "token" not in run.model_dump_json() and f"{service.port}" not in logs


@pytest.mark.parametrize("notify", ["slack://token", ["token"], [7]])
def test_a_wrong_entry_is_refused_without_being_quoted(notify) -> None:
    with pytest.raises(SettingsError, match="notify") as refused:
        load_settings(notify=notify)
    assert "token" not in str(refused.value) and "Remedy" in str(refused.value)


def test_the_automation_of_the_operations_page_tells_of_a_failed_run(prefect_server: str, service: Sink) -> None:
    block = webhook(service).save("automation", overwrite=True)
    (text,) = re.findall(r"```yaml\n(name: .*?)```", OPERATIONS, re.DOTALL)
    written = yaml.safe_load(text.replace("BLOCK-ID", str(block)))
    automation = Automation(**written).create()
    try:

        @flow(name="nightly", flow_run_name="night of an automation", persist_result=False)
        def fails() -> None:
            raise ValueError("for a test")

        deadline = time.monotonic() + 60
        while not service.received and time.monotonic() < deadline:
            # The server learns of a new automation some seconds later.
            fails(return_state=True)
            time.sleep(3)
        assert service.received and "night of an automation" in service.received[0]["text"]
    finally:
        automation.delete()
