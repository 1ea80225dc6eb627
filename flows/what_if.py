"""Ask what would be, without touching what is: a scenario over the night that the warehouse holds."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import duckdb

from flows.settings import Settings
from mtl_models.checkpoint import CheckpointError
from tasks.night import Night
from tasks.scenarios.question import Question, ScenarioError
from tasks.scenarios.score import COMPARED, score_scenario
from warehouse import lock
from warehouse.connect import open_overlay
from warehouse.migrate import fingerprint
from warehouse.scenario_file import keep_scenario

Rows = list[dict[str, Any]]


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a scenario changes: the rows of each of its tables, as they are kept; `notes` are worth knowing."""

    scenario_id: str
    run_id: str
    as_of_date: date
    notes: list[str]
    broken_promises: list[str]
    tables: dict[str, Rows] = field(default_factory=dict)


def ask(settings: Settings, question: Question, as_of_date: date | None = None) -> Answer:
    """Score the question against the released night, or against that of `as_of_date` where the warehouse holds it, and
    keep the answer.

    ScenarioError when there is no such night or the question has no answer; `warehouse.lock.WarehouseBusy` while a
    night writes. A night that wants to start waits until the question is answered.
    """
    home = settings.home
    path = home / "warehouse.duckdb"
    if not path.exists():
        raise ScenarioError(f"{home} has no nights yet. Remedy: fivefold run, or name another home with --home.")
    with lock.reading(home) as writer:
        if writer:
            raise lock.WarehouseBusy(
                f"{home} is in use by {writer}. Remedy: ask again when it has ended; until then, "
                "predictions.price_responses_latest says what other prices bring."
            )
        spill = home / "scenarios" / "spill"
        with open_overlay(
            path, spill_folder=spill, threads=settings.threads, memory_limit=settings.memory_limit
        ) as con:
            night = _base_night(con, home, as_of_date)
            con.execute("set variable time_zone = $1", [night.time_zone])
            try:
                report = score_scenario(con, night, question)
            except CheckpointError as error:
                raise ScenarioError(f"{error}. Remedy: fivefold run --force.") from error
            keep_scenario(con, home, report.scenario_id)
            return Answer(
                scenario_id=report.scenario_id,
                run_id=night.run_id,
                as_of_date=night.as_of_date,
                notes=list(report.left_out),
                broken_promises=list(report.broken_promises),
                tables={table: _rows(con, table) for table in COMPARED},
            )


def _base_night(con: duckdb.DuckDBPyConnection, home: Path, as_of_date: date | None) -> Night:
    """The night whose features and decisions the warehouse holds, under its own settings."""
    if con.execute("select fingerprint from ops.contract_version").fetchall() != [(fingerprint(),)]:
        raise ScenarioError(f"{home} was written by another version of Fivefold. Remedy: fivefold run --force.")
    last = con.execute(
        """select run_id, as_of_date, source, status, settings_json
        from ops.runs where status <> 'skipped' order by started_at desc limit 1"""
    ).fetchall()
    if not last or last[0][3] != "released":
        told = f"night {last[0][0]} was not released" if last else f"{home} has no nights yet"
        raise ScenarioError(f"{told}, so that the warehouse holds no night to ask about. Remedy: fivefold run.")
    run_id, day, source, _, settings_json = last[0]
    wanted = as_of_date or day
    if as_of_date is None:
        seen = con.execute("select run_id, as_of_date from ops.releases where is_current").fetchall()
        if seen != [(run_id, day)]:
            shown, wanted = seen[0] if seen else ("none", day)
            raise ScenarioError(
                f"readers see night {shown}, but the warehouse holds night {run_id}. Remedy: ask about that one with "
                f"--as-of {day}, or bring the other back with fivefold run --force --as-of {wanted}."
            )
    if wanted != day:
        raise ScenarioError(
            f"the warehouse holds the night as of {day}, not as of {wanted}. "
            f"Remedy: fivefold run --force --as-of {wanted}, or ask about the one of {day}."
        )
    identity = {"run_id": run_id, "as_of_date": day, "source": source, "home": home}
    return Night.model_validate(json.loads(settings_json) | identity)


def _rows(con: duckdb.DuckDBPyConnection, table: str) -> Rows:
    cursor = con.execute(f"from temp.scenario_{table} order by all")
    names = [column[0] for column in cursor.description or ()]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
