"""Erased users leave the warehouse: their rows go, what they bought stays as demand of nobody.

A user whose `erased_at` is set is gone from the next night on, whatever as-of date the night has: a backfill of last
March does not bring anybody back. The profile, behaviour, offers, redemptions and tickets are deleted, and what is kept
of earlier nights' predictions. Orders stay,
because demand and revenue were real, under one user id for all erased users; that id is in no `users` row, so no
feature, label or prediction is ever about it. `ops.erased_users` keeps a hash of the id, so that a file which still has
the user cannot bring the rows back.
"""

from __future__ import annotations

import duckdb

from warehouse.contracts import FEEDS, KEPT_TABLES
from warehouse.contracts.table import ERASED_USER_ID, quote
from warehouse.loads import transaction


def erase_users(con: duckdb.DuckDBPyConnection, run_id: str) -> int:
    """Erase who asked for it, in one transaction; returns the number of users newly erased."""
    with transaction(con):
        newly_erased = _remember(con, run_id)
        if con.execute("select count(*) from ops.erased_users").fetchall()[0][0]:
            _erase_rows(con)
    return newly_erased


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


def _erase_rows(con: duckdb.DuckDBPyConnection) -> None:
    """Rows of erased users out of every raw table, out of quarantine and out of experiments."""
    feeds = [table.name for table in FEEDS if "user_id" in table.column_names]
    known_ids = " union ".join(f"select user_id from raw.{quote(feed)}" for feed in feeds)
    con.execute(
        f"""
        create or replace temp table erased_ids as
        select user_id
        from ({known_ids})
        where sha256(user_id) in (select user_hash from ops.erased_users)
        """
    )
    # A device that the user was signed in on also tells about them while signed out.
    con.execute(
        """
        delete from raw.behaviour_events
        where user_id is null and visitor_id in (
            select visitor_id from raw.behaviour_events where user_id in (select user_id from erased_ids)
        )
        """
    )
    con.execute(
        "update raw.orders set user_id = $1 where user_id in (select user_id from erased_ids)", [ERASED_USER_ID]
    )
    for feed in feeds:
        if feed != "orders":
            con.execute(f"delete from raw.{quote(feed)} where user_id in (select user_id from erased_ids)")
    for table in KEPT_TABLES:
        if "user_id" in table.column_names:
            con.execute(f"delete from {table.qualified_name} where user_id in (select user_id from erased_ids)")
    con.execute(
        """
        delete from ops.quarantined_rows
        where sha256(json_extract_string(row_json, '$.user_id')) in (select user_hash from ops.erased_users)
        """
    )
    con.execute(
        "delete from ops.experiment_assignments where sha256(user_id) in (select user_hash from ops.erased_users)"
    )
    con.execute("drop table erased_ids")
