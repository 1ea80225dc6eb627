"""A release as Parquet in a bucket: its files, the manifest that names them, and the pointer that readers follow.

Files are written first, the manifest of the run then, the pointer last, each in one step; so who follows the pointer,
or a manifest, never sees half a run. What no manifest names is what a killed night left, and goes. Like PostgreSQL, the
bucket mirrors the shelf of published files: see `warehouse.postgres.publish`.
"""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from warehouse.connect import open_with_files
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.export import write_table
from warehouse.mirror import refuse_foreign, stamp_of
from warehouse.object_storage.store import DRAFTS, Keys, Store
from warehouse.release import Shelf
from warehouse.release_file import Release

POINTER = "latest.json"
_MANIFEST = re.compile(r"manifests/run_id=([^/]+)\.json")
_PART = re.compile(r"table=[^/]+/run_id=([^/]+)/part-[0-9a-f]+\.parquet")

Manifest = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What readers of the bucket see: `rows_written` are 0 where the run was there already."""

    place: str
    run_id: str
    rows_written: int
    removed_runs: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [f"{self.place} shows {self.run_id}", f"{self.rows_written:,} rows written"]
        return ", ".join([*words, *([f"{len(self.removed_runs)} runs removed"] if self.removed_runs else [])])


def show_release(location: str, home: Path, releases: Sequence[Release], keys: Keys | None = None) -> Shown:
    """Let readers of the bucket see what readers of the published file see; `releases` are all that the home ever had.
    Without `keys` the client looks for them.

    Raises one of `store.FAILURES`, or `warehouse.mirror.ForeignRuns`; then readers see what they saw.
    """
    shelf = Shelf.of(home)
    current = next(release for release in releases if release.is_current)
    kept = shelf.kept
    store = Store(location, keys)
    there = {found.name for found in store.below()}
    manifests = _manifests(store, there)
    refuse_foreign(
        store.location,
        manifests,
        releases,
        other="name another prefix in publish.parquet",
        remove="remove what is below it",
    )
    released = {release.run_id: release for release in releases}
    stale = [run_id for run_id, told in manifests.items() if run_id in kept and told["stamp"] != stamp_of(kept[run_id])]
    missing = [] if current.run_id in manifests else [current.run_id]
    rows = 0
    for run_id in (*stale, *missing):
        manifests[run_id] = _write(store, home, released[run_id], kept[run_id])
        rows += sum(table["rows"] for table in manifests[run_id]["tables"].values())
    _point(store, manifests[current.run_id])
    removed = sorted(manifests.keys() - kept.keys() - {current.run_id})
    store.remove([_manifest_name(run_id) for run_id in removed])
    shown = [manifest for run_id, manifest in manifests.items() if run_id not in removed]
    named = {table["file"] for manifest in shown for table in manifest["tables"].values()}
    # Of this home's runs only: another home that shares the prefix by mistake loses nothing.
    ours = [name for name in there if (part := _PART.fullmatch(name)) and part[1] in released]
    store.remove(sorted(set(ours) - named))
    return Shown(place=store.location, run_id=current.run_id, rows_written=rows, removed_runs=tuple(removed))


def _manifests(store: Store, there: set[str]) -> dict[str, Manifest]:
    """{run: its manifest}."""
    found: dict[str, Manifest] = {}
    for name in sorted(there):
        if (match := _MANIFEST.fullmatch(name)) and (text := store.read(name)):
            found[match[1]] = json.loads(text)
    return found


def _write(store: Store, home: Path, release: Release, file: Path) -> Manifest:
    """Write the run's files, then its manifest, and return it. A run that was written anew gets files of other names:
    who reads the earlier ones is not given half of each."""
    stamp = stamp_of(file)
    part = hashlib.sha256(stamp.encode()).hexdigest()[:12]
    tables: dict[str, dict[str, object]] = {}
    with tempfile.TemporaryDirectory(prefix=DRAFTS, dir=home) as folder, open_with_files(file) as con:
        draft = Path(folder) / "part.parquet"
        for table in PUBLISHED_TABLES:
            rows = write_table(con, table, draft, "parquet")
            name = f"table={table.name}/run_id={release.run_id}/part-{part}.parquet"
            store.write(name, draft)
            tables[table.name] = {"file": name, "rows": rows, "bytes": draft.stat().st_size}
    manifest = {
        "run_id": release.run_id,
        "as_of_date": release.as_of_date.isoformat(),
        "stamp": stamp,
        "tables": tables,
    }
    store.write(_manifest_name(release.run_id), _text(manifest))
    return manifest


def _point(store: Store, manifest: Manifest) -> None:
    """The pointer is a copy of the manifest, so that readers need no second look."""
    text = _text(manifest)
    if store.read(POINTER) != text:
        store.write(POINTER, text)


def _manifest_name(run_id: str) -> str:
    return f"manifests/run_id={run_id}.json"


def _text(manifest: Manifest) -> bytes:
    return f"{json.dumps(manifest, indent=1)}\n".encode()
