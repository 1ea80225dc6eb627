"""What every place goes by that mirrors the shelf of published files: PostgreSQL and object storage alike."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from warehouse.release_file import Release


class ForeignRuns(RuntimeError):  # noqa: N818 - named after what is there
    """The place holds runs of another home, which this one would remove."""


def stamp_of(file: Path) -> str:
    """Another one when the published file was written anew."""
    told = file.stat()
    return f"{told.st_size} bytes, {told.st_mtime_ns}"


def refuse_foreign(place: str, run_ids: Iterable[str], releases: Sequence[Release], *, other: str, remove: str) -> None:
    """ForeignRuns when the place holds a run that the home never released; `other` and `remove` are the remedies."""
    foreign = sorted(set(run_ids) - {release.run_id for release in releases})
    if foreign:
        raise ForeignRuns(
            f"{place} holds runs that this home never released, such as {foreign[0]}. Remedy: {other}, or, where "
            f"nobody needs those runs, {remove}."
        )
