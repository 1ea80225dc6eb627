import os
import subprocess
import sys
from pathlib import Path

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


def test_a_flow_run_without_a_process_is_found(prefect_server: str, tmp_path: Path) -> None:
    from prefect.client.orchestration import get_client
    from prefect.states import Running

    from flows.nightly import nightly

    settings = load_settings(home=tmp_path)
    with get_client(sync_client=True) as client:
        run = client.create_flow_run(nightly, parameters={}, state=Running())
        try:
            finding = doctor.stuck_runs(settings)
            assert finding.verdict == "WARN" and str(run.id) in finding.seen and "delete" in finding.remedy
            with lock.writing(tmp_path, "night of somebody"):
                assert doctor.stuck_runs(settings).verdict == "PASS"
        finally:
            client.delete_flow_run(run.id)
