"""PostgreSQL and object storage follow what readers of the published file see.

What they missed is said, and made up for the next time.
"""

from __future__ import annotations

from collections.abc import Callable

from flows.errors import in_words
from flows.messages import OBJECT_STORAGE, POSTGRESQL
from flows.secrets import load_secrets
from flows.settings import Settings
from tasks.publish_to_postgres import show_in_postgres
from warehouse import lock
from warehouse.connect import open_warehouse
from warehouse.mirror import ForeignRuns
from warehouse.object_storage import publish as bucket
from warehouse.object_storage import store
from warehouse.postgres.session import FAILURES
from warehouse.release import list_releases

_FAILURES = (*FAILURES, *store.FAILURES, ForeignRuns)


class Unsent(RuntimeError):  # noqa: N818 - named after what is the case
    """Readers of the published file see the release, readers elsewhere do not; the message says why, with the remedy.
    The next night, or the same rollback again, makes up for it."""


def show_elsewhere(settings: Settings) -> str:
    """Let readers in PostgreSQL and object storage see what the home shows; what they see in words, '' where neither is
    named.

    Unsent when that cannot be done everywhere; then it is done where it can be.
    """
    publish, home = settings.publish, settings.home
    if not publish.postgres and not publish.parquet:
        return ""
    secrets = load_secrets(settings)
    shown: list[str] = []
    missed: list[str] = []
    with lock.writing(home, "sending the release"), open_warehouse(home / "warehouse.duckdb") as con:
        places: dict[str, Callable[[], object]] = {}
        if publish.postgres:
            places[POSTGRESQL] = lambda: show_in_postgres(con, home, publish, secrets.publish_password)
        if publish.parquet:
            places[OBJECT_STORAGE] = lambda: bucket.show_release(
                publish.parquet, home, list_releases(con), secrets.s3_keys
            )
        for place, show in places.items():
            try:
                shown.append(str(show()))
            except _FAILURES as error:
                missed.append(f"those in {place} do not: {in_words(error)}")
    if missed:
        raise Unsent(f"readers of the published file see it, {' '.join(missed)}")
    return ", ".join(shown)
