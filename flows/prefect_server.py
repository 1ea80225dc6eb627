"""Prefect's temporary server, started while Python still imports."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from prefect.settings import PREFECT_API_URL


@contextmanager
def server_starting() -> Iterator[None]:
    """Where no Prefect server is configured, a temporary one starts in a process of its own while the block runs,
    and is ready when the block ends: its ten to twenty seconds overlap with the imports of torch and Great
    Expectations. Prefect then finds and later stops it as if it had started it itself.
    """
    if PREFECT_API_URL.value():
        yield
        return
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="prefect-server") as pool:
        started = pool.submit(_start)
        yield
        started.result()


def _start() -> None:
    from prefect.server.api.server import SubprocessASGIServer

    SubprocessASGIServer().start()
