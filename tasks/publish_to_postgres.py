"""Let readers in PostgreSQL see what readers of the published file see."""

from __future__ import annotations

from pathlib import Path

import duckdb
from pydantic import SecretStr

from tasks.night import Night, PublishConfig
from tasks.progress import report
from warehouse.postgres.address import parse_address
from warehouse.postgres.publish import Shown, Target, show_release
from warehouse.postgres.release_tables import Schema
from warehouse.postgres.session import Refused
from warehouse.release import Shelf, list_releases


def publish_to_postgres(con: duckdb.DuckDBPyConnection, night: Night) -> Shown:
    """Send the current release to `publish.postgres`, unless it is there, and drop the runs that are no longer kept.

    Raises what `show_in_postgres` raises; the release itself stands all the same.
    """
    report("sending the release to PostgreSQL")
    return show_in_postgres(con, night.home, night.publish, night.secrets.publish_password)


def show_in_postgres(
    con: duckdb.DuckDBPyConnection, home: Path, publish: PublishConfig, password: SecretStr | None
) -> Shown:
    """What readers in the database see from now on.

    `warehouse.postgres.session.ServerLost` when it is not reached, and other errors with their remedy when it refuses;
    then its readers see what they saw.
    """
    target = Target(
        address=parse_address(publish.postgres),
        schema=Schema(publish.postgres_schema, publish.postgres_readers),
        password=password.get_secret_value() if password else None,
    )
    try:
        return show_release(target, Shelf.of(home), list_releases(con))
    except Refused as error:
        raise Refused(
            f"PostgreSQL on {target.address.server} refuses the release: {error}. Remedy: see that the role of "
            "publish.postgres may create schemas in the database and owns those that are there, and that the role of "
            "publish.postgres_readers exists.",
            error.sqlstate,
        ) from None
