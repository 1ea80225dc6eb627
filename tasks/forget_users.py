"""Users who were erased leave the files of earlier nights: releases, models and reports."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb

from mtl_models import checkpoint
from mtl_models.checkpoint import CheckpointError
from tasks.night import Night
from tasks.progress import report
from warehouse import diary, erasure
from warehouse.release import Shelf


def forget_users(con: duckdb.DuckDBPyConnection, night: Night) -> list[str]:
    """Take everybody whom `ops.erased_users` does not call forgotten yet out of every file of the home but the
    warehouse, which `warehouse.erasure.rewrite_warehouse` writes anew when it is closed; what was done, in words.

    Each file is replaced in one step, and looking again finds nothing: a night that is killed meanwhile leaves the rest
    to the next.
    """
    hashes = erasure.pending(con)
    if not hashes:
        return []
    report(f"forgetting {len(hashes)} erased users")
    return [*_releases(night, hashes), *_models(con, night, set(hashes))]


def _releases(night: Night, hashes: list[str]) -> Iterator[str]:
    """Releases stay, without the users; a page may name users of its night and of the one before."""
    files = sorted(Shelf.of(night.home).folder.glob("*.duckdb"))
    if rewritten := [file for file in files if erasure.names_any(file, hashes)]:
        for page in (night.home / "reports").glob("*.html"):
            page.unlink()
        for file in rewritten:
            erasure.rewrite_release(file, hashes)
        yield f"{len(rewritten)} releases written anew without them, reports withdrawn"


def _models(con: duckdb.DuckDBPyConnection, night: Night, hashes: set[str]) -> Iterator[str]:
    for folder in sorted((night.home / "models").glob("*")):
        if forgotten := _forget(con, folder, hashes):
            yield forgotten


def _forget(con: duckdb.DuckDBPyConnection, folder: Path, hashes: set[str]) -> str:
    """A model that is not what its night wrote is no model, but may name somebody: it goes."""
    try:
        checkpoint.Checkpoint.read(folder, diary.model_hash(con, folder.name))
        changed = checkpoint.forget(folder, "user", lambda word: hashlib.sha256(word.encode()).hexdigest() in hashes)
    except CheckpointError as error:
        shutil.rmtree(folder)
        return f"model removed ({error})"
    if changed is None:
        return ""
    diary.record_model(con, folder.name, checkpoint.hash_of(folder))
    return f"{changed.model_version} has forgotten them"
