"""The process of a temporary Prefect server; it ends with the process that started it, however that ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

import uvicorn

from flows.environment import be_temporary_server


def main(port: int) -> None:
    """Serve Prefect's API on this port of the machine itself until told to stop, or until the parent is gone."""
    be_temporary_server()
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    uvicorn.run(
        "prefect.server.api.server:create_app",
        factory=True,
        host="127.0.0.1",
        port=port,
        log_level="error",
        lifespan="on",
    )


def _end_with(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(1)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    main(int(sys.argv[1]))
