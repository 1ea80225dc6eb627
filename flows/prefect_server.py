"""A Prefect server where none is configured: a temporary one for a night, a lasting one for a schedule."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from queue import Empty

import httpx

from flows.environment import offer_blocks

# A busy machine needs a while, and a fresh home all of Prefect's migrations.
_START_SECONDS = 120


@contextmanager
def temporary_server() -> Iterator[Callable[[], None]]:
    """Within the block Prefect uses a server of its own that runs in another process and ends with the block.

    The block gets a function that waits until the server is ready: import what is slow before calling it, and the ten
    seconds of the one overlap with those of the other. Prefect's own ephemeral server would start only when
    the flow does, and stay behind if the night is killed. Where a server is configured, that one is used.
    """
    port = _free_port()
    address = f"http://127.0.0.1:{port}/api"
    start = partial(_start, ["-m", "flows.temporary_server", str(port)])
    # Only Prefect can say whether a server is configured. Importing it takes a second or two, so the server that most
    # nights need is on its way before.
    early = None if "prefect" in sys.modules else start()
    from prefect.settings import PREFECT_API_URL, PREFECT_CLIENT_MAX_RETRIES, temporary_settings

    if PREFECT_API_URL.value():
        if early:
            _stop(early)
        yield lambda: None
        return
    server = early or start()
    try:
        # A server of our own that does not answer is dead: the night need not wait a minute for each word to it.
        with temporary_settings({PREFECT_API_URL: address, PREFECT_CLIENT_MAX_RETRIES: 3}):
            try:
                yield partial(_wait, server, address)
            finally:
                # Also after an error or a signal: Prefect would go on for minutes to tell a server that is gone.
                (deliver_the_rest if is_healthy(address) else forget_the_rest)()
    finally:
        _stop(server)


@contextmanager
def lasting_server() -> Iterator[str]:
    """The API address of a server with scheduler and user interface: the configured one, one that runs on this
    machine, or one that is started here and stops with the block. A temporary server never schedules."""
    from prefect.settings import PREFECT_API_URL, PREFECT_SERVER_API_PORT, temporary_settings

    configured = PREFECT_API_URL.value()
    if configured:
        yield configured
        return
    local = f"http://127.0.0.1:{PREFECT_SERVER_API_PORT.value()}/api"
    offer_blocks()
    server = None if is_healthy(local) else _start(["-m", "prefect", "server", "start", "--host", "127.0.0.1"])
    try:
        if server:
            _wait(server, local)
        with temporary_settings({PREFECT_API_URL: local}):
            yield local
    finally:
        if server:
            _stop(server)


def is_healthy(api_url: str) -> bool:
    """Whether a Prefect server answers there."""
    try:
        return httpx.get(f"{api_url}/health", timeout=5).status_code == httpx.codes.OK
    except httpx.HTTPError:
        return False


def _start(arguments: Sequence[str]) -> subprocess.Popen[bytes]:
    # A session of its own: Ctrl-C is for the night, which still has its last words to tell the server.
    return subprocess.Popen([sys.executable, *arguments], start_new_session=True)  # noqa: S603


def _wait(server: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not is_healthy(address):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(
                f"the Prefect server did not start within {_START_SECONDS} s. "
                "Remedy: see its messages above, or start one yourself and set PREFECT_API_URL."
            )
        time.sleep(0.1)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(timeout=10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def deliver_the_rest() -> None:
    """Send the logs and events that are still on their way, while there is somebody to receive them."""
    from prefect.events.worker import EventsWorker
    from prefect.logging.handlers import APILogWorker

    APILogWorker.instance().drain()
    EventsWorker.drain_all()


def forget_the_rest() -> None:
    """Drop the logs and events that nobody is there to receive: Prefect would try each of them for half a minute
    before the process may end."""
    from prefect.events.worker import EventsWorker

    # The cache of all such services, which this class shares with the others; Prefect has no public way to drop items.
    for service in tuple(EventsWorker._instances.values()):  # type: ignore[misc]
        with suppress(Empty):
            while True:
                service._queue.get_nowait()


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port
