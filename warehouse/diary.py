"""The diary of nights: `ops.runs` and `ops.run_steps`, and what was released from which inputs."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import duckdb

# What time servers correct in one step on a sound machine.
CLOCK_TOLERANCE = timedelta(seconds=5)


_MOMENTS = (
    ("ops.runs", "started_at"),
    ("ops.runs", "finished_at"),
    ("ops.run_steps", "started_at"),
    ("ops.releases", "released_at"),
)


class ClockBehind(RuntimeError):  # noqa: N818 - named after what is the case
    """The machine's clock was moved back; the message says from where to where."""


@dataclass(frozen=True, kw_only=True)
class Run:
    """What identifies a night's work: equal runs give equal tables, so the second need not be made.

    `settings_json` has every setting that shapes the tables; `code_version` is the application's version.
    """

    run_id: str
    as_of_date: date
    source: str
    settings_json: str
    code_version: str


def start_run(con: duckdb.DuckDBPyConnection, run: Run) -> list[str]:
    """Note that the night has begun; returns the earlier nights that ended without a word.

    The caller holds the warehouse's lock, so whatever still says `running` has no process any more. It has crashed,
    unless readers got its release before.
    """
    silent = con.execute(
        """update ops.runs
           set status = if(run_id in (select run_id from ops.releases), 'released', 'crashed'),
               finished_at = $1, stopped_by = 'its process ended without a word'
           where status = 'running' returning run_id""",
        [_now()],
    ).fetchall()
    con.execute(
        """insert into ops.runs (run_id, as_of_date, source, status, started_at, settings_json, code_version)
           values ($1, $2, $3, 'running', $4, $5, $6)""",
        [run.run_id, run.as_of_date, run.source, _now(), run.settings_json, run.code_version],
    )
    return [run_id for (run_id,) in silent]


def require_clock(con: duckdb.DuckDBPyConnection) -> None:
    """ClockBehind when it is earlier than what the diary has seen: tonight could be a day that is long released, and
    nights could no longer be told in their order."""
    now = _now()
    latest = max((moment for moment in _latest_moments(con).values() if moment), default=now)
    if latest > now + CLOCK_TOLERANCE:
        raise ClockBehind(
            f"the clock of this machine says {now:%Y-%m-%d %H:%M:%S} UTC, but a night was at work here at "
            f"{latest:%Y-%m-%d %H:%M:%S} UTC: it was moved back. Remedy: set the clock (timedatectl). If it is right "
            "now and was ahead then, name the day of this night with --as-of; the diary is corrected then."
        )


def mend_clock(con: duckdb.DuckDBPyConnection) -> list[str]:
    """Bring what the diary says of the future back to now; a sentence if there was such. For whoever knows that the
    clock is right now."""
    now = _now()
    ahead = [place for place, moment in _latest_moments(con).items() if moment and moment > now]
    for table, column in ahead:
        con.execute(f"update {table} set {column} = $1 where {column} > $1", [now])
    return (
        [f"the clock was ahead once: moments after {now:%Y-%m-%d %H:%M} UTC in the diary are set to now"]
        if ahead
        else []
    )


def finish_run(con: duckdb.DuckDBPyConnection, run_id: str, status: str, stopped_by: str | None = None) -> None:
    """Note how the night ended: released, skipped, stopped or failed. What a step left half done is undone."""
    abandon_transaction(con)
    con.execute(
        "update ops.runs set status = $1, stopped_by = $2, finished_at = $3, inputs_hash = $4 where run_id = $5",
        [status, stopped_by, _now(), inputs_hash(con), run_id],
    )


def record_model(con: duckdb.DuckDBPyConnection, run_id: str, model_hash: str) -> None:
    """Note what the night's model is, so that another in its place is noticed."""
    con.execute("update ops.runs set model_hash = $1 where run_id = $2", [model_hash, run_id])


def model_hash(con: duckdb.DuckDBPyConnection, run_id: str) -> str | None:
    """What the night's model is; None for a night before that was noted."""
    found = con.execute("select model_hash from ops.runs where run_id = $1", [run_id]).fetchone()
    return found[0] if found else None


def require_pseudonym_key(con: duckdb.DuckDBPyConnection, run_id: str, fingerprint: str | None) -> bool:
    """Note under which key the night keeps ids of people; False when what is loaded already is under another."""
    con.execute("update ops.runs set pseudonym_key = $1 where run_id = $2", [fingerprint, run_id])
    others = """select 1 from ops.loads join ops.runs using (run_id)
        where loads.status = 'loaded' and pseudonym_key is distinct from $1 limit 1"""
    return not con.execute(others, [fingerprint]).fetchall()


def record_step(
    con: duckdb.DuckDBPyConnection,
    run_id: str,
    step: str,
    status: str,
    started_at: datetime,
    seconds: float,
    detail: str,
) -> None:
    """Note one step; a step that is tried again replaces its earlier note."""
    abandon_transaction(con)
    con.execute("delete from ops.run_steps where run_id = $1 and step = $2", [run_id, step])
    con.execute(
        """insert into ops.run_steps (run_id, step, status, started_at, seconds, detail)
           values ($1, $2, $3, $4, $5, $6)""",
        [run_id, step, status, started_at.astimezone(UTC).replace(tzinfo=None), seconds, detail],
    )


def inputs_hash(con: duckdb.DuckDBPyConnection) -> str:
    """A hash of everything that is loaded: equal hashes mean equal raw tables."""
    rows = con.execute(
        "select feed, input_name, content_hash from ops.loads where status = 'loaded' order by all"
    ).fetchall()
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def equal_release(con: duckdb.DuckDBPyConnection, run: Run) -> str | None:
    """The night that readers see now, if it was made for the same day from the same inputs, settings and code."""
    found = con.execute(
        """select runs.run_id
           from ops.releases
           join ops.runs using (run_id)
           where releases.is_current and runs.status = 'released'
             and runs.as_of_date = $1 and runs.source = $2 and runs.settings_json = $3
             and runs.code_version = $4 and runs.inputs_hash = $5""",
        [run.as_of_date, run.source, run.settings_json, run.code_version, inputs_hash(con)],
    ).fetchall()
    return found[0][0] if found else None


def finished_nights(
    con: duckdb.DuckDBPyConnection, source: str, settings_json: str, code_version: str
) -> dict[date, str]:
    """{as-of date: its latest run} of the days that were released under these settings and this code."""
    rows = con.execute(
        """select as_of_date, max(run_id) from ops.runs
           where status = 'released' and source = $1 and settings_json = $2 and code_version = $3
           group by as_of_date""",
        [source, settings_json, code_version],
    ).fetchall()
    return dict(rows)


@dataclass(frozen=True, kw_only=True)
class CheckedNight:
    """A night whose feeds passed their checks. `code_version` is the application's that made it; `is_built`: whether
    the features in the warehouse are its own."""

    run_id: str
    as_of_date: date
    code_version: str | None
    is_built: bool


def last_checked_night(con: duckdb.DuckDBPyConnection) -> CheckedNight | None:
    """The newest night whose feeds passed their checks; None before the first."""
    found = con.execute(
        """select run_id, any_value(as_of_date), any_value(code_version), bool_or(step = 'build_features')
           from ops.run_steps
           join ops.runs using (run_id)
           where run_steps.status = 'completed' and step in ('validate_feeds', 'build_features')
           group by run_id
           having bool_or(step = 'validate_feeds')
           order by max(run_steps.started_at) desc
           limit 1"""
    ).fetchall()
    names = ("run_id", "as_of_date", "code_version", "is_built")
    return CheckedNight(**dict(zip(names, found[0], strict=True))) if found else None


def abandon_transaction(con: duckdb.DuckDBPyConnection) -> None:
    """Undo a transaction that an error left open, so that the diary can be written."""
    try:
        con.execute("rollback")
    except duckdb.TransactionException:
        return  # none was open


def _latest_moments(con: duckdb.DuckDBPyConnection) -> dict[tuple[str, str], datetime | None]:
    """{(table, column): its latest moment} of all by which nights are told in their order."""
    latest = {}
    for table, column in _MOMENTS:
        (latest[table, column],) = con.execute(f"select max({column}) from {table}").fetchall()[0]
    return latest


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
