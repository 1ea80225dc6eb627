"""What a process that was killed left in a home: recognised, cleared, and told.

Whoever holds the lock may clear everything that is unfinished, for nobody else is at work on it. Two things are the
truth: the link, about what readers see, and the diary, about all else.
"""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

import duckdb

from warehouse.object_storage.store import DRAFTS, FETCHED
from warehouse.release import Shelf, reconcile
from warehouse.shards import FOLDER as SHARDS
from warehouse.whole_text import UNFINISHED


def clear_files(home: Path) -> list[str]:
    """Remove half-written files of the home; a sentence for each kind that was there. The caller holds the lock and has
    not opened the warehouse yet: DuckDB takes spilled memory along only when it is closed in order."""
    spill = home / "warehouse.duckdb.tmp"
    found = {
        "drafts of a published file": Shelf.of(home).tidy(),
        "unfinished pages": _remove(home / "reports", f"*{UNFINISHED}"),
        "files of spilled memory": _remove(spill, "duckdb_temp_*"),
        "folders of fetched objects": _remove_folders(home, f"{FETCHED}*"),
        "folders of shards": _remove_folders(home, SHARDS),
        "drafts of Parquet files": _remove_folders(home, f"{DRAFTS}*"),
    }
    # DuckDB takes this folder along only when it has made it itself. With anything else in it, it is not ours.
    with suppress(OSError):
        spill.rmdir()
    return [f"removed {len(files)} {kind}" for kind, files in found.items() if files]


def settle_nights(con: duckdb.DuckDBPyConnection, home: Path) -> list[str]:
    """Write down the release that readers see if its night was killed before it could, and remove files of nights that
    readers never saw, and models of those that were killed or failed; a sentence for each. The caller holds the lock
    and starts no night before."""
    shelf = Shelf.of(home)
    found = reconcile(con, shelf)
    told = [f"readers see night {found.run_id}, which had not been written down: done"] if found else []
    never_released = con.execute(
        """select run_id, status in ('running', 'crashed', 'failed') from ops.runs
        where run_id not in (select run_id from ops.releases) order by run_id"""
    ).fetchall()
    for run_id, is_broken_off in never_released:
        file, model = shelf.file(run_id), home / "models" / run_id
        if file.exists():
            file.unlink()
            told.append(f"removed the file of night {run_id}, which readers never saw")
        if is_broken_off and model.exists():
            shutil.rmtree(model)
            told.append(f"removed the model of night {run_id}, which never came to its end")
    return told


def _remove(folder: Path, pattern: str) -> list[Path]:
    files = sorted(folder.glob(pattern))
    for file in files:
        file.unlink()
    return files


def _remove_folders(home: Path, pattern: str) -> list[Path]:
    folders = sorted(home.glob(pattern))
    for folder in folders:
        shutil.rmtree(folder)
    return folders
