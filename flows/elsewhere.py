"""PostgreSQL follows what readers of the published file see. What it missed is said, and made up for the next time."""

from __future__ import annotations

from pathlib import Path

from flows.errors import in_words
from flows.secrets import load_secrets
from flows.settings import Settings
from tasks.publish_to_postgres import show_in_postgres
from warehouse import lock
from warehouse.connect import open_warehouse
from warehouse.postgres.publish import ForeignRuns
from warehouse.postgres.session import FAILURES


class Unsent(RuntimeError):  # noqa: N818 - named after what is the case
    """Readers of the published file see the release, readers in PostgreSQL do not; the message says why, with the
    remedy. The next night, or the same rollback again, makes up for it."""


def show_elsewhere(settings: Settings) -> str:
    """Let readers in PostgreSQL see what the home shows; what they see in words, '' where no database is named.

    Unsent when that cannot be done.
    """
    if not settings.publish.postgres:
        return ""
    home: Path = settings.home
    password = load_secrets(settings).publish_password
    with lock.writing(home, "sending to PostgreSQL"), open_warehouse(home / "warehouse.duckdb") as con:
        try:
            return str(show_in_postgres(con, home, settings.publish, password))
        except (*FAILURES, ForeignRuns) as error:
            raise Unsent(
                f"readers of the published file see it, those in PostgreSQL do not: {in_words(error)}"
            ) from error
