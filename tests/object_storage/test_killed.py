"""A process that publishes to a bucket is killed: readers see a whole run, and the next publish ends whole."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.object_storage.home import ROWS, TABLES, Home
from tests.object_storage.wire import wire_to
from warehouse.leftovers import clear_files
from warehouse.object_storage import publish

# Rows whose file is sent in parts: more than 5 MB.
LARGE = 60_000
PUT_SECOND_TABLE = f"before PUT table={TABLES[1].name}"
# Where to kill, in the order of one publish, each on what the one before left; and what readers see then.
MOMENTS = {
    "before PUT partNumber=2": "a",
    "after POST ?uploadId=": "a",
    PUT_SECOND_TABLE: "a",
    "after PUT manifests/": "a",
    "before PUT latest.json": "a",
    "after PUT latest.json": "b",
}


class Publisher:
    """A process that shows run b, killed when its request matches the moment; a reader looks before and after each."""

    def __init__(self, home: Home, moment: str) -> None:
        self.home, (self.when, self.method, self.part) = home, moment.split(" ")
        self.seen: list[object] = []
        self.process: subprocess.Popen[bytes] | None = None

    def run(self, endpoint: str) -> int:
        """Its exit status: -9 when it was killed."""
        command = [sys.executable, "-m", "tests.object_storage.home", str(self.home.folder), self.home.location]
        with wire_to(endpoint, self.watch) as address:
            environment = {**os.environ, "AWS_ENDPOINT_URL": address, "PYTHONPATH": os.pathsep.join(sys.path)}
            self.process = subprocess.Popen([*command, "a", "b"], env=environment, stderr=subprocess.DEVNULL)
            return self.process.wait(timeout=60)

    def watch(self, request: str) -> None:
        try:
            self.seen.append(self.home.seen())
        except Exception as error:  # half a run, of whatever kind: told where the test is, not in the server's thread
            self.seen.append(error)
        when, method, path = request.split(" ", 2)
        if when == self.when and method == self.method and self.part in unquote(path) and self.process:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            raise ConnectionAbortedError


def unfinished_uploads(endpoint: str, bucket: str) -> int:
    with urllib.request.urlopen(f"{endpoint}/{bucket.removeprefix('s3://')}?uploads") as listed:
        return int(listed.read().count(b"<UploadId>"))


@pytest.fixture
def home(tmp_path: Path, bucket: str, monkeypatch: pytest.MonkeyPatch) -> Home:
    """Readers see run a; run b is released and not shown yet."""
    monkeypatch.setattr(publish, "PUBLISHED_TABLES", TABLES)
    home = Home(tmp_path, f"{bucket}/published")
    home.release("a")
    home.write("b", LARGE, is_large=True)
    home.remember("b")
    return home


def test_whoever_is_killed_at_any_request_leaves_readers_a_whole_run(home: Home, endpoint: str, bucket: str) -> None:
    whole = {"a": ("a", [ROWS, ROWS]), "b": ("b", [LARGE, LARGE])}
    for moment, run_id in MOMENTS.items():
        publisher = Publisher(home, moment)
        ended = publisher.run(endpoint)
        assert [seen for seen in publisher.seen if seen not in whole.values()] == [], moment
        assert ended == -signal.SIGKILL, f"nothing was killed {moment}"
        assert home.seen() == whole[run_id], moment
    assert unfinished_uploads(endpoint, bucket) == 1, "nobody was killed while a file was sent in parts"
    assert clear_files(home.folder) == ["removed 3 drafts of Parquet files"]
    assert home.show("b").rows_written == 0
    assert home.seen() == whole["b"]
    assert len([name for name in home.names() if "run_id=b/" in name]) == len(TABLES)
