"""Let readers of Parquet in object storage see what readers of the published file see."""

from __future__ import annotations

import duckdb

from tasks.night import Night
from tasks.progress import report
from warehouse.object_storage.publish import Shown, show_release
from warehouse.release import list_releases


def publish_to_bucket(con: duckdb.DuckDBPyConnection, night: Night) -> Shown:
    """Write the current release to `publish.parquet`, unless it is there, and remove the runs that are no longer kept.

    Raises what `warehouse.object_storage.publish.show_release` raises; the release itself stands all the same.
    """
    report("writing the release to object storage")
    return show_release(night.publish.parquet, night.home, list_releases(con), night.secrets.s3_keys)
