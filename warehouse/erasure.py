"""Erased users leave: their rows go, from every table and every file, and what they bought stays as demand of nobody.

A user whose `erased_at` is set is gone from the next night on, whatever as-of date the night has: a backfill of last
March does not bring anybody back. The profile, behaviour, offers, redemptions and tickets are deleted, and whatever
nights have made of them. Orders stay, because demand and revenue were real, under one user id for all erased users;
that id is in no `users` row, so no feature, label or prediction is ever about it. `ops.erased_users` keeps a hash of
the id, so that a file which still has the user cannot bring the rows back.

Deleted rows leave their bytes in a database file. So the files of earlier nights are written anew at once, and the
warehouse at the night's end; `forgotten_at` is written into the new file, so that a night that is killed in between
leaves the rest to the next.
"""

from __future__ import annotations

from pathlib import Path

import duckdb

from warehouse.balance import booking_erased
from warehouse.connect import open_read_only, transaction
from warehouse.contracts import FEEDS
from warehouse.contracts.table import ERASED_USER_ID, quote
from warehouse.release_file import STORAGE_VERSION
from warehouse.rewrite import LeftOut, rewrite

_FORGOTTEN = "update anew.ops.erased_users set forgotten_at = now() at time zone 'UTC' where forgotten_at is null"
# What names a person without a column user_id. The first goes first, for it asks the second.
_NAMING = {
    '"ops"."explanations"': """
        table_name = 'user_profiles' and object_id in (from erased_ids)
        or table_name = 'promotion_recommendations'
            and exists (from erased_ids where starts_with(object_id, user_id || '|'))
        or table_name = 'action_queue' and object_id in (
            select cast(rank as varchar) from predictions.action_queue
            where object_type = 'user' and object_id in (from erased_ids)
        )""",
    '"predictions"."action_queue"': "object_type = 'user' and object_id in (from erased_ids)",
    # A row that did not parse may have the id anywhere.
    '"ops"."quarantined_rows"': """
        list_has_any(
            list_transform(
                coalesce(json_extract_string(row_key, '$.*'), []) || coalesce(json_extract_string(row_json, '$.*'), []),
                lambda value: sha256(value)
            ),
            (select list(user_hash) from erased_hashes)
        )""",
}


def erase_users(con: duckdb.DuckDBPyConnection, run_id: str) -> int:
    """Erase who asked for it from the warehouse, in one transaction; returns the number of users newly erased."""
    with transaction(con):
        newly_erased = _remember(con, run_id)
        hashes = [row[0] for row in con.execute("select user_hash from ops.erased_users").fetchall()]
        if hashes:
            _name(con, hashes, [f"raw.{quote(table.name)}" for table in FEEDS if "user_id" in table.column_names])
            with booking_erased(con):
                _erase_rows(con)
    return newly_erased


def pending(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Hashes of the users whose bytes may still be in a file."""
    return [
        row[0] for row in con.execute("select user_hash from ops.erased_users where forgotten_at is null").fetchall()
    ]


def names_any(release: Path, hashes: list[str]) -> bool:
    """Whether the published file has a row about one of these users."""
    with open_read_only(release) as con:
        _name(con, hashes, _naming_tables(con))
        return any(
            con.execute(f"select 1 from {table} where {naming} limit 1").fetchall()
            for table, naming in _rows_naming(con).items()
        )


def rewrite_release(release: Path, hashes: list[str]) -> None:
    """Write the published file anew without rows about these users; its readers keep what they have open."""

    def leave_out(con: duckdb.DuckDBPyConnection) -> LeftOut:
        _name(con, hashes, _naming_tables(con))
        return _rows_naming(con)

    rewrite(release, leave_out, storage_version=STORAGE_VERSION)


def rewrite_warehouse(path: Path) -> bool:
    """Write the warehouse, which nobody has open, anew if erased users left bytes in it; whether they did."""
    with open_read_only(path) as con:
        if not pending(con):
            return False
    rewrite(path, lambda _: {}, finish=_FORGOTTEN)
    return True


def _remember(con: duckdb.DuckDBPyConnection, run_id: str) -> int:
    """Add the users with `erased_at` to `ops.erased_users`; returns how many were not there yet."""
    inserted = con.execute(
        """
        insert into ops.erased_users (user_hash, erased_at, run_id)
        select sha256(user_id), min(erased_at), $run_id
        from raw.users
        where erased_at is not null and sha256(user_id) not in (select user_hash from ops.erased_users)
        group by user_id
        """,
        {"run_id": run_id},
    ).fetchall()
    return int(inserted[0][0])


def _name(con: duckdb.DuckDBPyConnection, hashes: list[str], tables: list[str]) -> None:
    """The temporary tables `erased_hashes (user_hash)` and `erased_ids (user_id)`: of whom in these tables."""
    con.execute("create or replace temp table erased_hashes as select unnest($1::varchar[]) as user_hash", [hashes])
    known = " union ".join(f"select user_id from {table}" for table in tables)
    con.execute(
        f"create or replace temp table erased_ids as select user_id from ({known}) "
        "where sha256(user_id) in (from erased_hashes)"
    )


def _erase_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Rows about `erased_ids` out of every table; whose there were has bytes to be forgotten."""
    # A device that the user was signed in on also tells about them while signed out.
    con.execute(
        """
        delete from raw.behaviour_events
        where user_id is null and visitor_id in (
            select visitor_id from raw.behaviour_events where user_id in (from erased_ids)
        )
        """
    )
    con.execute("update raw.orders set user_id = $1 where user_id in (from erased_ids)", [ERASED_USER_ID])
    for table, naming in _rows_naming(con).items():
        con.execute(f"delete from {table} where {naming}")
    con.execute(
        "update ops.erased_users set forgotten_at = null where user_hash in (select sha256(user_id) from erased_ids)"
    )


def _rows_naming(con: duckdb.DuckDBPyConnection) -> LeftOut:
    """A predicate of the rows that name `erased_ids`, for each table that could."""
    by_user = dict.fromkeys(_naming_tables(con), "user_id in (from erased_ids)")
    return {table: naming for table, naming in _NAMING.items() if _exists(con, table)} | by_user


def _naming_tables(con: duckdb.DuckDBPyConnection) -> list[str]:
    found = con.execute(
        """
        select schema_name, table_name
        from duckdb_tables()
        join duckdb_columns() using (database_name, schema_name, table_name)
        where database_name = current_database() and column_name = 'user_id'
        order by all
        """
    ).fetchall()
    return [f"{quote(schema)}.{quote(name)}" for schema, name in found]


def _exists(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    query = """select 1 from duckdb_tables()
        where database_name = current_database() and format('"{}"."{}"', schema_name, table_name) = $1"""
    return bool(con.execute(query, [table]).fetchall())
