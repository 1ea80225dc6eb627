import json
import os
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from uuid import uuid4

import pytest
from prefect.settings import PREFECT_API_URL, temporary_settings

from flows import doctor
from flows.settings import load_settings
from tests.shop import Shop
from warehouse import lock


def test_all_is_well_before_a_first_night(tmp_path: Path, shop_folder: Path, shop: Shop) -> None:
    with temporary_settings({PREFECT_API_URL: None}):
        findings = doctor.examine(load_settings(home=tmp_path / "new", source=f"files:{shop_folder}"))
    assert {finding.subject: finding.verdict for finding in findings if finding.verdict == "FAIL"} == {}
    assert all(finding.remedy == "" for finding in findings if finding.verdict == "PASS")
    assert str(shop.as_of_date) in next(str(finding) for finding in findings if finding.subject == "source")
    assert not (tmp_path / "new").exists()


def test_a_missing_source_is_found(tmp_path: Path) -> None:
    finding = doctor.source(load_settings(source=f"files:{tmp_path / 'gone'}"))
    assert finding.verdict == "FAIL" and "gone" in str(finding) and finding.remedy


def test_a_package_that_is_missing_or_too_new_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor.metadata, "requires", lambda _: ["duckdb<1", "no-such-package", "numpy"])
    finding = doctor.packages(load_settings())
    assert finding.verdict == "FAIL"
    assert "duckdb" in finding.seen and "no-such-package is missing" in finding.seen and "numpy" not in finding.seen


@pytest.mark.parametrize(("free", "verdict"), [(6, "PASS"), (2, "WARN"), (0.5, "FAIL")])
def test_a_full_disk_is_found(monkeypatch: pytest.MonkeyPatch, free: float, verdict: str) -> None:
    usage = type("Usage", (), {"free": int(free * 2**30)})
    monkeypatch.setattr(doctor.shutil, "disk_usage", lambda _: usage)
    assert doctor.disk(load_settings()).verdict == verdict


def test_a_home_that_is_open_to_everybody_is_found(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path / "home")
    for mode, verdict in ((0o750, "PASS"), (0o755, "WARN")):
        (tmp_path / "home").mkdir(exist_ok=True)
        (tmp_path / "home").chmod(mode)
        assert doctor.home(settings).verdict == verdict


def test_a_home_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "home").write_text("")
    assert doctor.home(load_settings(home=tmp_path / "home")).verdict == "FAIL"


def test_who_is_at_work_and_who_was_killed_are_told_apart(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    with lock.writing(tmp_path, "night of somebody"):
        assert doctor.writer(settings).verdict == "WARN"
    dying = f"import os; from pathlib import Path; from warehouse import lock\n\
with lock.writing(Path({str(tmp_path)!r}), 'night of the dead'): os._exit(9)"
    subprocess.run([sys.executable, "-c", dying], check=False, env=os.environ)
    finding = doctor.writer(settings)
    assert finding.verdict == "PASS" and "night of the dead" in finding.seen and "crashed" in finding.seen


def test_a_published_file_that_cannot_be_read_is_found(tmp_path: Path) -> None:
    (tmp_path / "published.duckdb").write_text("this is no database")
    finding = doctor.published(load_settings(home=tmp_path))
    assert finding.verdict == "FAIL" and "rollback" in finding.remedy


def test_a_server_that_does_not_answer_is_found() -> None:
    with temporary_settings({PREFECT_API_URL: "http://127.0.0.1:9/api"}):
        finding = doctor.prefect_server(load_settings())
    assert finding.verdict == "FAIL" and "PREFECT_API_URL" in finding.remedy


def test_a_flow_run_without_a_process_is_found(tmp_path: Path) -> None:
    settings = load_settings(home=tmp_path)
    assert doctor.stuck_runs(settings).verdict == "PASS"
    record = tmp_path / "flow_runs" / str(uuid4())
    with lock.writing(record, "flow run of somebody"):
        assert doctor.stuck_runs(settings).verdict == "PASS"
    lock.lock_path(record).write_text(json.dumps(asdict(lock.Owner(name="x", process_id=1, host="y", since="z"))))
    finding = doctor.stuck_runs(settings)
    assert finding.verdict == "WARN" and record.name in finding.seen and "serve" in finding.remedy
