"""Releases as a home's diary has them, without a night."""

from __future__ import annotations

from datetime import UTC, date, datetime

from warehouse.release_file import Release


def new_release(number: int, run_id: str) -> Release:
    """The so-manyth release of a home."""
    return Release(
        release_number=number,
        run_id=run_id,
        as_of_date=date(2026, 7, 4),
        file_name=f"{run_id}.duckdb",
        kind="release",
        reason="night",
        released_by="nightly",
        released_at=datetime(2026, 7, 4, 2, 30, tzinfo=UTC).replace(tzinfo=None),
    )
