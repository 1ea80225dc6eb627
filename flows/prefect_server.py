"""A Prefect server where none is configured: a temporary one for a night, a lasting one for a schedule."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx
from prefect.settings import PREFECT_API_URL, temporary_settings

_LOCAL_SERVER = "http://127.0.0.1:4200/api"
_START_SECONDS = 120


@contextmanager
def server_starting() -> Iterator[None]:
    """A temporary server starts in a process of its own while the block runs, and is ready when the block ends: its
    ten to twenty seconds overlap with the imports of torch and Great Expectations.

    Prefect then finds and later stops it as if it had started it itself. Where a server is configured, nothing happens.
    """
    if PREFECT_API_URL.value():
        yield
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefect-server") as pool:
        started = pool.submit(_start_temporary)
        yield
        started.result()


@contextmanager
def lasting_server() -> Iterator[str]:
    """The API address of a server with scheduler and user interface: the configured one, one that runs on this
    machine, or one that is started here and stops with the block. A temporary server never schedules."""
    configured = PREFECT_API_URL.value()
    if configured:
        yield configured
        return
    server = None if is_healthy(_LOCAL_SERVER) else _start_lasting()
    try:
        with temporary_settings({PREFECT_API_URL: _LOCAL_SERVER}):
            yield _LOCAL_SERVER
    finally:
        if server:
            server.terminate()
            server.wait(timeout=30)


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        return httpx.get(f"{api_url}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _start_temporary() -> None:
    # Seconds of imports, so not at the top: whoever has a server does without.
    from prefect.server.api.server import SubprocessASGIServer

    SubprocessASGIServer().start()


def _start_lasting() -> subprocess.Popen[bytes]:
    # The command is our own interpreter with constant arguments.
    server = subprocess.Popen([sys.executable, "-m", "prefect", "server", "start"])
    deadline = time.monotonic() + _START_SECONDS
    while not is_healthy(_LOCAL_SERVER):
        if server.poll() is not None or time.monotonic() > deadline:
            server.terminate()
            raise RuntimeError(
                f"the Prefect server did not start within {_START_SECONDS} s. "
                "Remedy: see its messages above, or start one yourself and set PREFECT_API_URL."
            )
        time.sleep(0.5)
    return server
