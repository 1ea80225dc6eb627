"""A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder, on loopback."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp

DEBIAN = Path("/usr/lib/postgresql")
# Nothing of it has to survive the machine, and nothing but the tests asks it for anything.
OPTIONS = {"fsync": "off", "full_page_writes": "off", "max_connections": "60", "listen_addresses": "127.0.0.1"}


def find_programs() -> Path | None:
    """The folder of initdb and pg_ctl; None where PostgreSQL is not installed, or root has no other user to run it."""
    newest = sorted(DEBIAN.glob("*/bin"), key=lambda folder: float(folder.parent.name), reverse=True)
    on_path = shutil.which("initdb")
    folders = [*newest, *([Path(on_path).resolve().parent] if on_path else [])]
    found = next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)
    return found if os.geteuid() != 0 or _has_postgres_user() else None


@contextmanager
def running_server(programs: Path) -> Iterator[str]:
    """The address of a server that runs within the block; its superuser is `postgres`, who needs no password."""
    # Not below pytest's folders, which only their owner may enter.
    folder = Path(mkdtemp(prefix="fivefold-postgres-"))
    as_whom = _as_whom(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = " ".join(f"-c {name}={value}" for name, value in {**OPTIONS, "port": port}.items())
    control = [*as_whom, str(programs / "pg_ctl"), "-D", str(folder / "data"), "-s", "-w"]
    trusted = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "--no-sync"]
    try:
        _run([*as_whom, str(programs / "initdb"), "-D", str(folder / "data"), *trusted])
        _ask_for_passwords(folder / "data" / "pg_hba.conf")
        options += f" -c unix_socket_directories={folder}"
        _run([*control, "-l", str(folder / "log"), "-o", options, "start"])
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/postgres"
        finally:
            _run([*control, "-m", "immediate", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _ask_for_passwords(access: Path) -> None:
    """Of one role, ann; the others are let in."""
    access.write_text(f"host all ann 127.0.0.1/32 scram-sha-256\n{access.read_text()}")


def _as_whom(folder: Path) -> list[str]:
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return []
    user = pwd.getpwnam("postgres")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return ["runuser", "-u", "postgres", "--"]


def _has_postgres_user() -> bool:
    return any(user.pw_name == "postgres" for user in pwd.getpwall()) and shutil.which("runuser") is not None


def _run(command: list[str]) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert answer.returncode == 0, f"{command}\n{answer.stdout}{answer.stderr}"
