"""The files of `files:s3://BUCKET/PREFIX`: laid out, read, checked and set aside like those of a folder.

What is new of a feed is fetched below the home, read there and removed. An object is an input, known by its name, its
ETag and its size, so that nothing is fetched to find that it is known.
"""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path

import duckdb

from warehouse.connect import open_memory
from warehouse.object_storage.store import FETCHED, BadLocation, Changed, Found, Keys, Store, check_location
from warehouse.sources.base import FeedError, Input, Relation, Source, SourceOptions, unreadable
from warehouse.sources.files import Files, day_after
from warehouse.whole_text import write_text_whole

# When the last order of each object was, so that planning a night fetches only the objects of orders that are new.
_LAST_ORDERS = "last_orders.json"
# Objects that are fetched side by side, and those of orders that lie on the disk together when a night is planned.
_AT_ONCE, _BATCH = 4, 64


class FilesInBucket(Source):
    """An object, or a folder of objects, per feed. Moments without an offset are UTC."""

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        super().__init__(location, as_of_date, home)
        self.place = location or ""
        try:
            check_location(self.place)
        except BadLocation as error:
            problem, _, remedy = str(error).partition(" Remedy: ")
            raise FeedError(problem, remedy=remedy) from None
        self._keys: Keys | None = None
        self._opened: Store | None = None
        self._top: list[Found] | None = None
        self._found: dict[str, Found] = {}

    def configure(self, options: SourceOptions) -> None:
        """Read with these keys; without any the client looks for them."""
        self._keys = options.s3_keys

    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last order; a moment that no order can have does not count."""
        remembered = self._remembered()
        with open_memory() as con:
            keys = {f"{item.name}, {item.content_hash}": item for item in self.inputs(con, "orders")}
            moments = {key: remembered[key] for key in keys if key in remembered}
            unknown = [key for key in keys if key not in remembered]
            for start in range(0, len(unknown), _BATCH):
                batch = unknown[start : start + _BATCH]
                with self._fetched("orders", [keys[key] for key in batch]) as files:
                    found = {key: files.latest_moment(con, [keys[key]]) for key in batch}
                moments |= {key: moment.isoformat() if moment else None for key, moment in found.items()}
        self._remember(moments)
        latest = max(filter(None, moments.values()), default=None)
        if latest is None:
            raise FeedError(
                f"No order with a moment in {self.place}.",
                feed="orders",
                remedy="deliver orders with ordered_at below this bucket and prefix, or name the night with --as-of.",
            )
        return day_after(datetime.fromisoformat(latest), time_zone or self.time_zone)

    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> list[Input]:
        """The objects of the feed, sorted by name; FeedError names one whose name no file can have."""
        if self._top is None:
            self._top = self._store.top()
        listed = [found for found in self._top if found.name.startswith(f"{feed}.")]
        listed += self._store.below(feed)
        files = [found for found in listed if not _is_passed_over(found)]
        for found in files:
            _require_plain(feed, found.name)
        self._found |= {found.name: found for found in files}
        return [Input(found.name, found.state) for found in sorted(files, key=lambda found: found.name)]

    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterator[Relation]:
        """One relation for all objects of one shape, whose files are there until the next is asked for.

        FeedError when an object has changed since it was named as an input.
        """
        with self._fetched(feed, inputs) as files:
            yield from files.relations(con, feed, inputs)

    @property
    def _store(self) -> Store:
        """Opened late: naming a source needs neither the client nor a connection."""
        if self._opened is None:
            self._opened = Store(self.place, self._keys)
        return self._opened

    @contextmanager
    def _fetched(self, feed: str, inputs: Sequence[Input]) -> Iterator[Files]:
        """Within the block the inputs lie in a folder of the home, as a source of files."""
        if self.home:
            self.home.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix=FETCHED, dir=self.home))
        try:
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                list(pool.map(lambda item: self._fetch(feed, item, folder), inputs))
            files = Files(str(folder), self.as_of_date, self.home)
            files.most_bytes = self.most_bytes
            yield files
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, feed: str, item: Input, folder: Path) -> None:
        """Copy one input to its place below the folder."""
        path = folder / item.name
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._store.fetch(self._found[item.name], path)
        except Changed as error:
            raise FeedError(
                "It was changed while it was read.",
                feed=feed,
                file=item.name,
                remedy="run the night again when the delivery is complete.",
            ) from error
        except (FileExistsError, NotADirectoryError) as error:
            raise unreadable(feed, item.name, error) from error

    def _remembered(self) -> dict[str, str | None]:
        """What an earlier look found; nothing where the file is not there or not whole."""
        try:
            told = json.loads((self.home / _LAST_ORDERS).read_text()) if self.home else {}
        except (OSError, ValueError):
            return {}
        return dict(told["objects"]) if told.get("location") == self.place else {}

    def _remember(self, moments: dict[str, str | None]) -> None:
        if self.home and self.home.is_dir():
            text = json.dumps({"location": self.place, "objects": moments}, indent=1)
            write_text_whole(text, self.home / _LAST_ORDERS)


def _is_passed_over(found: Found) -> bool:
    """Names that begin with `.` or `_`, as in folders, and the empty objects that consoles make for a folder."""
    last = found.name.rpartition("/")[2]
    return last[0] in "._" or (found.size == 0 and "." not in last)


def _require_plain(feed: str, name: str) -> None:
    """FeedError when the name would lead a file out of its folder, or is none on some machine."""
    if "\\" in name or {".", "..", ""} & set(name.split("/")):
        raise FeedError("It has a name that no file can have.", feed=feed, file=name, remedy="rename the object.")
