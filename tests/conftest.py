"""What all tests share: a clean environment, the small shop, one Prefect server for the whole session."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

# Before anything imports Prefect or torch: tests neither see nor touch what the developer has set up.
for variable in [name for name in os.environ if name.startswith(("FIVEFOLD_", "PREFECT_"))]:
    del os.environ[variable]
# Processes that share the tests have a core each.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ["OMP_NUM_THREADS"] = "1"
os.environ["PREFECT_HOME"] = tempfile.mkdtemp(prefix="fivefold-prefect-")
os.environ["PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL"] = "CRITICAL"

import pytest  # noqa: E402

import flows  # noqa: E402, F401 - sets the defaults of every library
from tests.shop import Shop, write_shop  # noqa: E402


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Processes share the tests by folder: what a folder prepares for the session is then prepared once."""
    for item in items:
        item.add_marker(pytest.mark.xdist_group(str(item.path.parent.relative_to(item.config.rootpath))))


@pytest.fixture(scope="session")
def shop() -> Shop:
    """The sizes of the small shop."""
    return Shop()


@pytest.fixture(scope="session")
def shop_folder(tmp_path_factory: pytest.TempPathFactory, shop: Shop) -> Path:
    """The small shop's feeds. Do not change the files; write a shop of your own for that."""
    return write_shop(tmp_path_factory.mktemp("shop"), shop)


@pytest.fixture(scope="session")
def prefect_server() -> Iterator[str]:
    """The address of a real Prefect server with its scheduler, and this process set to use it."""
    from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.prefect_server import deliver_the_rest, is_healthy

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "uvicorn", "--factory", "prefect.server.api.server:create_app"]
    server = subprocess.Popen(
        [*command, "--port", str(port), "--log-level", "error", "--lifespan", "on"],
        env={**os.environ, "PREFECT_UI_ENABLED": "0", "PREFECT_LOGGING_SERVER_LEVEL": "ERROR"},
    )
    try:
        deadline = time.monotonic() + 300
        while not is_healthy(address):
            assert server.poll() is None and time.monotonic() < deadline, "the Prefect server did not start"
            time.sleep(0.2)
        # A heartbeat costs each flow run a second, and nobody looks for zombies here.
        with temporary_settings({PREFECT_API_URL: address, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
            yield address
            deliver_the_rest()
    finally:
        server.terminate()
        server.wait(timeout=30)
