"""A night's tables are built within the memory that the settings allow: what does not fit goes to disk and back."""

from __future__ import annotations

from pathlib import Path

from tasks.build_features import build_features
from tasks.ingest_feeds import ingest_feeds
from tasks.night import Night
from tests.demo_shop_source.conftest import AS_OF, SOURCE
from warehouse.connect import open_warehouse
from warehouse.migrate import migrate

LIMIT_MB = 60


def test_what_exceeds_the_memory_limit_is_spilled(lived_home: Path) -> None:
    night = Night(run_id="night", as_of_date=AS_OF, source=SOURCE, home=lived_home, time_zone="Europe/Berlin")
    with open_warehouse(
        lived_home / "limited.duckdb", time_zone="Europe/Berlin", threads=1, memory_limit=f"{LIMIT_MB}MB"
    ) as con:
        migrate(con)
        ingest_feeds(con, night)
        built = build_features(con, night)
        assert built.rows["samples.recommendation"] > 0
        held, spilled = con.execute(
            "select sum(memory_usage_bytes), sum(temporary_storage_bytes) from duckdb_memory()"
        ).fetchall()[0]
    assert held <= LIMIT_MB * 1e6
    assert spilled > 0
