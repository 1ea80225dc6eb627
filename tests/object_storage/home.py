"""A home whose files of made-up rows are shown in a bucket: here, or by a process of its own that may be killed."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path

import polars as pl
from bench_publish import fill

from tests.releases import new_release
from warehouse.connect import open_warehouse
from warehouse.contracts import PUBLISHED_TABLES
from warehouse.contracts.ddl import create_all
from warehouse.object_storage import publish
from warehouse.object_storage.publish import Shown
from warehouse.object_storage.store import Store
from warehouse.release import Shelf
from warehouse.release_file import Release

ROWS = 20
TABLES = PUBLISHED_TABLES[:2]


class Home:
    """A shelf with published files of made-up rows, shown at the location."""

    def __init__(self, folder: Path, location: str) -> None:
        self.folder, self.location = folder, location
        self.shelf = Shelf.of(folder)
        self.releases: list[Release] = []
        self.shelf.tidy()

    def release(self, run_id: str, rows: int = ROWS) -> Shown:
        self.write(run_id, rows)
        self.remember(run_id)
        return self.show(run_id)

    def remember(self, run_id: str) -> None:
        """The release in the home's diary, so to speak."""
        self.releases.append(new_release(len(self.releases) + 1, run_id))

    def write(self, run_id: str, rows: int, *, is_large: bool = False) -> None:
        """The published file; a large one has a table of 100 bytes a row that no compression makes less of."""
        with open_warehouse(self.shelf.file(run_id)) as con:
            create_all(con, TABLES)
            con.execute("set variable run_id = $1", [run_id])
            for table in TABLES:
                fill(con, table, rows)
            if is_large:
                noise = ", ".join(f"sha256('{number}' || user_id)" for number in range(3))
                con.execute(f"update {TABLES[0].qualified_name} set currency = concat({noise})")

    def show(self, run_id: str) -> Shown:
        self.releases = [replace(release, is_current=release.run_id == run_id) for release in self.releases]
        return publish.show_release(self.location, self.folder, self.releases)

    def seen(self) -> tuple[str, list[int]]:
        """The run and the rows of each table, as a reader finds them who follows the pointer."""
        store = Store(self.location)
        told = json.loads(store.read("latest.json") or b"")
        files = [store.read(table["file"]) for table in told["tables"].values()]
        return told["run_id"], [len(pl.read_parquet(file or b"")) for file in files]

    def names(self) -> set[str]:
        return {found.name for found in Store(self.location).below()}


if __name__ == "__main__":
    _, folder, location, *run_ids = sys.argv
    publish.PUBLISHED_TABLES = TABLES
    home = Home(Path(folder), location)
    for run_id in run_ids:
        home.remember(run_id)
    home.show(run_ids[-1])
