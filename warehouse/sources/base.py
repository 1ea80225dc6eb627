"""What a source of feeds is: a small class that names its inputs and says how to read them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

import duckdb

from warehouse.formats.reasons import reason
from warehouse.object_storage.store import Keys

# What a long step says about itself, and the share of it that is done (0 to 1) where that is known.
Progress = Callable[[str, float | None], None]


class FeedError(Exception):
    """A feed that cannot be read as its contract promises.

    `feed`, `file`, `row` (counted from 1, the header left out) and `rule` say where, as far as known; `remedy`
    says what to do.
    """

    def __init__(
        self,
        problem: str,
        *,
        remedy: str,
        feed: str | None = None,
        file: str | None = None,
        row: int | None = None,
        rule: str | None = None,
    ) -> None:
        self.problem, self.remedy, self.feed, self.file, self.row, self.rule = problem, remedy, feed, file, row, rule
        super().__init__(f"{self.place}{problem} Remedy: {remedy}")

    @property
    def place(self) -> str:
        """Where it is, as the start of a sentence; empty when nothing is known."""
        known = {"feed": self.feed, "file": self.file, "row": self.row, "rule": self.rule}
        words = ", ".join(f"{word} {value}" for word, value in known.items() if value)
        return f"{words}: " if words else ""


def unreadable(feed: str | None, file: str, error: Exception) -> FeedError:
    """The error for a file that breaks off or is not what its name says, in words that quote nothing of its content:
    a line may tell something about a person."""
    return FeedError(
        f"It cannot be read: {reason(error)}.",
        feed=feed,
        file=file,
        remedy="deliver the file again, complete and in the format that its name says; nothing of the feed was loaded.",
    )


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a source is read that is a database, and with which `s3_keys` one in a bucket.

    `schema` holds a table or view for each feed; `tables` says where a feed's is instead, as NAME or SCHEMA.NAME. The
    other columns are those that say when a row changed and that it is deleted, where a table has them; what changed in
    the last `overlap_minutes` of a night is read again by the next. Without a `password` the driver looks for one.
    """

    schema: str = "public"
    tables: Mapping[str, str] = field(default_factory=dict)
    updated_column: str = "updated_at"
    deleted_column: str = "deleted_at"
    overlap_minutes: float = 60.0
    password: str | None = field(default=None, repr=False)
    s3_keys: Keys | None = None


@dataclass(frozen=True)
class Input:
    """The unit of loading: a file, or a part of a source that never changes once it is complete.

    An input whose `content_hash` is known under its `name` is not loaded again.
    """

    name: str
    content_hash: str


@dataclass(frozen=True)
class Relation:
    """How to read some inputs of one feed: a SELECT whose column `_input_name` says which input a row is from.

    `label` is what an error message calls it, `input_names` are the inputs that it reads. `ignored_columns` carry
    nothing for the contract by design (such as the key of a hive partition) and are not reported as unknown;
    `unread_columns` are no part of the SELECT, and are.
    `row_counts`: the rows of an input, counted apart from its reading, where they are known. `is_columnar`: single
    columns are read at little cost, so that they may be looked at before all are read.
    """

    sql: str
    label: str
    input_names: tuple[str, ...]
    ignored_columns: frozenset[str] = field(default_factory=frozenset)
    unread_columns: frozenset[str] = field(default_factory=frozenset)
    row_counts: Mapping[str, int] = field(default_factory=dict)
    is_columnar: bool = False


class Source(ABC):
    """Where feeds come from. One instance serves one night.

    `time_zone` and `currency` are the defaults of the shop behind it. With an `as_of_date` a source that holds its
    whole history gives only what the shop would have landed before that day. `home` is the folder of everything that
    the application writes, for a source that keeps something there; None where nothing is to be written. An input that
    unpacks to more than `most_bytes` is refused.
    """

    time_zone: str = "UTC"
    currency: str = "USD"
    most_bytes: int = 20 * 10**9

    def __init__(self, location: str | None, as_of_date: date | None, home: Path | None = None) -> None:
        self.location, self.as_of_date, self.home = location, as_of_date, home

    def configure(self, options: SourceOptions) -> None:  # noqa: B027 - most sources are files
        """Say how a database is read, or with which keys a bucket; before anything else."""

    def prepare(self, progress: Progress) -> None:  # noqa: B027 - most sources find everything ready
        """Make ready what is to be read; called once a night, by the one writer of the home, before any feed."""

    @abstractmethod
    def latest_as_of(self, time_zone: str | None = None) -> date:
        """The day after the last business day with an order, in the given time zone or the source's own."""

    def has_disjoint_inputs(self, feed: str) -> bool:
        """Whether no two inputs of the feed can have the same key, so that nobody need look for it."""
        return False

    @abstractmethod
    def inputs(self, con: duckdb.DuckDBPyConnection, feed: str) -> Sequence[Input]:
        """The inputs of one feed, empty when the source has no such feed.

        They come oldest first: of two rows with one key the later input wins.
        """

    @abstractmethod
    def relations(self, con: duckdb.DuckDBPyConnection, feed: str, inputs: Sequence[Input]) -> Iterable[Relation]:
        """Relations that together give every row of these inputs exactly once; run each before asking for the next."""

    def deleted_keys(self, con: duckdb.DuckDBPyConnection, feed: str) -> str | None:
        """A temporary table with the keys of rows that the inputs just read say are deleted; None for a source whose
        rows only change or stay."""
        return None

    def unreadable(self, feed: str, place: str, error: duckdb.Error) -> Exception:
        """The error for a relation that breaks off or is not what its name says; `place` is its input or label."""
        return unreadable(feed, place, error)

    def close(self) -> None:  # noqa: B027 - most sources hold nothing open
        """Let go of what was opened for reading; the source is not used any more."""
