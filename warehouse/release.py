"""What readers see: immutable files, one per night, and a link that is swapped in one step.

A link and not a replaced file: a reader that is open keeps the file that it opened, and a log that a crashed
process left behind belongs to its own file and can never be replayed into a newer one.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Self

import duckdb

from warehouse.connect import open_read_only, transaction
from warehouse.contracts.ops import RELEASES
from warehouse.release_file import READERS_ONLY, Release, insert_release

_COLUMNS = ", ".join(RELEASES.column_names)
_UNFINISHED = ".tmp"


@dataclass(frozen=True)
class Shelf:
    """Where releases lie: `folder` holds one file per night, `link` is the path that readers open."""

    folder: Path
    link: Path

    @classmethod
    def of(cls, home: Path) -> Self:
        """That of a home."""
        return cls(home / "published", home / "published.duckdb")

    def file(self, run_id: str) -> Path:
        """The night's published file."""
        return self.folder / f"{run_id}.duckdb"

    def draft(self, run_id: str) -> Path:
        """Where the night's file is built; never seen by readers."""
        return self.folder / f"{run_id}.duckdb{_UNFINISHED}"

    @property
    def kept(self) -> dict[str, Path]:
        """{run: its published file} of the nights that readers may be shown again."""
        return {file.stem: file for file in self.folder.glob("*.duckdb")}

    @property
    def current(self) -> Path | None:
        """The file that readers see, None before the first release."""
        return self.folder / self.link.readlink().name if self.link.is_symlink() else None

    def tidy(self) -> list[Path]:
        """Create the folder, and remove what an interrupted night left unfinished; what that was."""
        self.folder.mkdir(parents=True, exist_ok=True)
        leftovers = sorted((*self.folder.glob(f"*{_UNFINISHED}*"), *self.link.parent.glob(_beside(self.link).name)))
        for leftover in leftovers:
            leftover.unlink()
        return leftovers


def next_release(
    con: duckdb.DuckDBPyConnection, shelf: Shelf, run_id: str, as_of_date: date, reason: str, released_by: str
) -> Release:
    """The row that `ops.releases` will get when the night is released."""
    return Release(
        release_number=_next_number(con),
        run_id=run_id,
        as_of_date=as_of_date,
        file_name=shelf.file(run_id).name,
        kind="release",
        reason=reason,
        released_by=released_by,
        released_at=_now(),
    )


def put_on_shelf(con: duckdb.DuckDBPyConnection, shelf: Shelf, release: Release) -> None:
    """Make the finished draft immutable and durable, point readers to it, and record it.

    Readers change over in the one step that replaces the link: before it nothing has happened, after it
    everything has, and `reconcile` writes the record should the process end in between.
    """
    draft, file = shelf.draft(release.run_id), shelf.file(release.run_id)
    draft.chmod(READERS_ONLY)
    _sync(draft)
    draft.rename(file)
    _sync(shelf.folder)
    _point(shelf, file)
    _record(con, release)


def rollback(
    con: duckdb.DuckDBPyConnection, shelf: Shelf, *, to_run_id: str | None = None, reason: str, released_by: str
) -> Release:
    """Point readers to an earlier night, by default the one released before the current; the recorded row.

    One that was killed when readers had changed over already is written down and returned: going back by default would
    otherwise go back twice. LookupError when there is no such release, or its file is no longer kept.
    """
    found = reconcile(con, shelf)
    if found and found.kind == "rollback" and to_run_id in (None, found.run_id):
        return found
    chosen = _find(list_releases(con), to_run_id)
    file = shelf.folder / chosen.file_name
    if not file.exists():
        kept = ", ".join(sorted(shelf.kept)) or "none"
        raise LookupError(f"the file of night {chosen.run_id} is no longer kept; nights that are: {kept}")
    release = replace(
        chosen,
        release_number=_next_number(con),
        kind="rollback",
        reason=reason,
        released_by=released_by,
        released_at=_now(),
        is_current=True,
    )
    _point(shelf, file)
    _record(con, release)
    return release


def list_releases(con: duckdb.DuckDBPyConnection) -> list[Release]:
    """Every change of what readers see, oldest first."""
    rows = con.execute(f"select {_COLUMNS} from ops.releases order by release_number").fetchall()
    return [Release(**dict(zip(RELEASES.column_names, row, strict=True))) for row in rows]


def reconcile(con: duckdb.DuckDBPyConnection, shelf: Shelf) -> Release | None:
    """Record what readers see if a process ended between the swap and its record; the row that was missing.

    The link is the truth, and every file says itself which release it was.
    """
    file = shelf.current
    recorded = [release.file_name for release in list_releases(con) if release.is_current]
    if file is None or not file.exists() or recorded == [file.name]:
        return None
    with open_read_only(file) as published:
        own = next(release for release in list_releases(published) if release.is_current)
    is_known = any(release.run_id == own.run_id for release in list_releases(con))
    found = replace(own, release_number=_next_number(con))
    if is_known:
        found = replace(found, kind="rollback", reason="found when the link was compared with the diary")
    _record(con, found)
    return found


def prune(shelf: Shelf, keep: int) -> list[str]:
    """Remove all but the `keep` newest files, never the one that readers see nor that of the latest day, which they see
    again when a backfill has ended; names of the removed."""
    newest_first = sorted(shelf.folder.glob("*.duckdb"), key=lambda file: file.stat().st_mtime_ns, reverse=True)
    spared = {shelf.current, max(newest_first, key=lambda file: file.name, default=None)}
    removed = [file for file in newest_first[keep:] if file not in spared]
    for file in removed:
        file.unlink()
    return [file.name for file in removed]


def _find(releases: list[Release], to_run_id: str | None) -> Release:
    first_releases = [release for release in releases if release.kind == "release"]
    if to_run_id is not None:
        for release in reversed(first_releases):
            if release.run_id == to_run_id:
                return release
        known = ", ".join(release.run_id for release in first_releases) or "none"
        raise LookupError(f"night {to_run_id} was never released; nights that were: {known}")
    current = next((release.run_id for release in releases if release.is_current), None)
    order = [release.run_id for release in first_releases]
    if current is None or order.index(current) == 0:
        raise LookupError("there is no earlier release to go back to")
    return first_releases[order.index(current) - 1]


def _next_number(con: duckdb.DuckDBPyConnection) -> int:
    (number,) = con.execute("select coalesce(max(release_number), 0) + 1 from ops.releases").fetchone() or (1,)
    return int(number)


def _record(con: duckdb.DuckDBPyConnection, release: Release) -> None:
    with transaction(con):
        con.execute("update ops.releases set is_current = false where is_current")
        insert_release(con, release)


def _point(shelf: Shelf, file: Path) -> None:
    beside = _beside(shelf.link)
    beside.unlink(missing_ok=True)
    beside.symlink_to(os.path.relpath(file, shelf.link.parent))
    beside.replace(shelf.link)
    _sync(shelf.link.parent)


def _beside(link: Path) -> Path:
    """Where the next link is made before it takes the place of this one."""
    return link.with_name(link.name + _UNFINISHED)


def _sync(path: Path) -> None:
    """Force the file, or the names in the folder, to disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
