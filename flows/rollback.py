"""Readers back to an earlier night."""

from __future__ import annotations

import getpass
from pathlib import Path

from warehouse import lock
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate
from warehouse.release import Release, Shelf, list_releases, reconcile, rollback


def run_rollback(home: Path, to_run_id: str | None, reason: str) -> Release:
    """Point readers to the night, by default the one before the current; the new row of `ops.releases`.

    LookupError when there is no such night, `warehouse.lock.WarehouseBusy` while a night runs.
    """
    if not (home / "warehouse.duckdb").exists():
        raise LookupError(
            f"{home.resolve()} has no nights yet. Remedy: fivefold run, or name another home with --home."
        )
    with lock.writing(home, "rollback"), open_warehouse(home / "warehouse.duckdb") as con:
        migrate(con)
        return rollback(con, Shelf.of(home), to_run_id=to_run_id, reason=reason, released_by=getpass.getuser())


def all_releases(home: Path) -> list[Release]:
    """Every change of what readers see, oldest first; empty before the first night."""
    if not (home / "warehouse.duckdb").exists():
        return []
    with lock.writing(home, "reading releases"), open_warehouse(home / "warehouse.duckdb") as con:
        migrate(con)
        reconcile(con, Shelf.of(home))
        return list_releases(con)
