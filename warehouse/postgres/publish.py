"""A release in PostgreSQL: its rows, the pointer that readers follow, and the runs that have had their day.

PostgreSQL mirrors the shelf of published files: what readers see there is shown, what is no longer kept there goes, and
a file that was written anew (because users were erased) is copied anew. So a night that could not be sent is made up
for by the next, and a rollback is one row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from warehouse.connect import open_read_only, read_sql
from warehouse.contracts import PUBLISHED_TABLES, Table
from warehouse.contracts.table import literal, quote
from warehouse.mirror import refuse_foreign, stamp_of
from warehouse.postgres.address import Address
from warehouse.postgres.release_tables import POINTER, Schema, exported, prepare
from warehouse.postgres.session import Refused, Session, qualified
from warehouse.release import Shelf
from warehouse.release_file import Release

# Longer than any statement of ours needs; whoever reads all night is waited for by the next.
_PATIENCE = "60s"
_CANCELLED = ("55P03", "57014")
# Rows that are sent at a time: so few that the server stores some while the next are read, and that memory holds them.
BATCH_ROWS = 20_000


@dataclass(frozen=True, kw_only=True)
class Target:
    """Which database gets the releases, and where in it."""

    address: Address
    schema: Schema
    password: str | None = None


@dataclass(frozen=True, kw_only=True)
class Shown:
    """What readers in PostgreSQL see: `rows_copied` are 0 where the run was there already. `removed_runs` are gone,
    `waiting_runs` are hidden from nobody yet, for somebody still reads."""

    place: str
    run_id: str
    rows_copied: int
    removed_runs: tuple[str, ...] = ()
    waiting_runs: tuple[str, ...] = ()

    def __str__(self) -> str:
        words = [f"{self.place} shows {self.run_id}", f"{self.rows_copied:,} rows copied"]
        words += [f"{len(self.removed_runs)} runs removed"] if self.removed_runs else []
        words += [f"{', '.join(self.waiting_runs)} still read, removed next time"] if self.waiting_runs else []
        return ", ".join(words)


def show_release(target: Target, shelf: Shelf, releases: Sequence[Release]) -> Shown:
    """Let readers in PostgreSQL see what readers of the published file see; `releases` are all that the home ever had.

    One transaction: a reader sees the run before, whole, or this one. Raises one of `session.FAILURES`, or
    `warehouse.mirror.ForeignRuns`; then nothing has changed there.
    """
    current = next(release for release in releases if release.is_current)
    kept = shelf.kept
    schema = target.schema
    with Session(target.address, target.password) as session:
        with session.transaction():
            session.run(f"set local lock_timeout = {literal(_PATIENCE)}")
            session.run("select pg_advisory_xact_lock(hashtextextended($1, 5))", [schema.name])
            prepare(session, schema)
            stamps = _stamps(session, schema)
            refuse_foreign(
                f"schema {schema.name} of {session.database} on {session.server}",
                stamps,
                releases,
                other="name another schema in publish.postgres_schema",
                remove=f"drop schemas {schema.name} and {schema.partitions}",
            )
            stale = [run_id for run_id, stamp in stamps.items() if run_id in kept and stamp != stamp_of(kept[run_id])]
            rows = sum(_replace(session, schema, run_id, kept[run_id]) for run_id in stale)
            if current.run_id not in stamps:
                rows += _add(session, schema, current, kept[current.run_id])
            _point(session, schema, current.run_id)
        removed, waiting = _remove(session, schema, {*kept, current.run_id})
        place = f"{session.database} on {session.server}"
    return Shown(
        place=place,
        run_id=current.run_id,
        rows_copied=rows,
        removed_runs=tuple(sorted(removed)),
        waiting_runs=tuple(sorted(waiting)),
    )


def _stamps(session: Session, schema: Schema) -> Mapping[str, str]:
    """The stamp of the file that each run there is from."""
    return dict(session.run(f"select run_id, file_stamp from {qualified(schema.name, POINTER.name)}"))


def _add(session: Session, schema: Schema, release: Release, file: Path) -> int:
    """A partition of each table with the file's rows; their number."""
    rows = 0
    for table in PUBLISHED_TABLES:
        parent, part = qualified(schema.name, table.name), schema.partition_of(table, release.run_id)
        # One that was detached and not yet dropped when the run was removed last.
        session.run(f"drop table if exists {part}")
        # The check spares PostgreSQL a look at every row when the partition is attached.
        session.run(
            f"create table {part} (like {parent} including comments, "
            f"constraint of_one_run check (run_id = {literal(release.run_id)}))"
        )
        rows += _copy(session, schema, table, release.run_id, file)
        session.run(f"alter table {part} add primary key ({_key_of(session, schema, table)})")
        session.run(f"alter table {parent} attach partition {part} for values in ({literal(release.run_id)})")
        session.run(f"analyze {part}")
    session.run(
        f"insert into {qualified(schema.name, POINTER.name)} (run_id, as_of_date, released_at, file_stamp, is_current) "
        "values ($1, $2::text::date, $3::text::timestamp at time zone 'UTC', $4, false)",
        [release.run_id, str(release.as_of_date), str(release.released_at), stamp_of(file)],
    )
    return rows


def _key_of(session: Session, schema: Schema, table: Table) -> str:
    """The key's columns in the order that the table was made with: a partition's are the same."""
    return ", ".join(quote(name) for (name,) in session.run(read_sql("postgres/key.sql"), [schema.name, table.name]))


def _replace(session: Session, schema: Schema, run_id: str, file: Path) -> int:
    """The rows of a run anew, within its partitions, which nobody has to wait for; their number."""
    rows = 0
    for table in PUBLISHED_TABLES:
        session.run(f"delete from {schema.partition_of(table, run_id)}")
        rows += _copy(session, schema, table, run_id, file)
    session.run(
        f"update {qualified(schema.name, POINTER.name)} set file_stamp = $1 where run_id = $2", [stamp_of(file), run_id]
    )
    return rows


def _copy(session: Session, schema: Schema, table: Table, run_id: str, file: Path) -> int:
    with open_read_only(file) as published:
        columns = ", ".join(map(exported, table.columns))
        rows = published.sql(f"select {columns} from {table.qualified_name}").to_arrow_reader(BATCH_ROWS)
        return session.load(schema.partitions, schema.partition(table, run_id), rows)


def _point(session: Session, schema: Schema, run_id: str) -> None:
    pointer = qualified(schema.name, POINTER.name)
    session.run(f"update {pointer} set is_current = false where is_current and run_id <> $1", [run_id])
    session.run(f"update {pointer} set is_current = true where not is_current and run_id = $1", [run_id])


def _remove(session: Session, schema: Schema, kept: set[str]) -> tuple[set[str], set[str]]:
    """Drop the runs that are no longer kept, without making any reader wait; those that went, and those that somebody
    still reads."""
    removed: set[str] = set()
    waiting: set[str] = set()
    session.run(f"set statement_timeout = {literal(_PATIENCE)}")
    for name, run_id, status in session.run(read_sql("postgres/partitions.sql"), [schema.name, schema.partitions]):
        if run_id in kept or run_id in waiting:
            continue
        parent, part = qualified(schema.name, name), qualified(schema.partitions, f"{name}_{run_id}")
        try:
            if status != "detached":
                how = "finalize" if status == "leaving" else "concurrently"
                session.run(f"alter table {parent} detach partition {part} {how}")
            session.run(f"drop table {part}")
            removed.add(run_id)
        except Refused as error:
            if error.sqlstate not in _CANCELLED:
                raise
            waiting.add(run_id)
    for run_id in _stamps(session, schema).keys() - kept - waiting:
        session.run(f"delete from {qualified(schema.name, POINTER.name)} where run_id = $1", [run_id])
    return removed - waiting, waiting
