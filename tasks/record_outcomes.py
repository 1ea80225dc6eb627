"""What came of earlier nights, and what a person should look at; tonight is kept for later."""

from __future__ import annotations

from dataclasses import dataclass

import duckdb

from tasks.night import Night
from tasks.outcomes.alerts import raise_alerts
from tasks.outcomes.keep import keep_night
from tasks.outcomes.score import score_nights
from tasks.progress import report
from warehouse import build


@dataclass(frozen=True)
class OutcomeReport:
    """Rows of tonight that were kept, earlier nights that were scored, and the alerts, gravest first."""

    kept_rows: int
    scored_nights: int
    alerts: tuple[str, ...]

    def __str__(self) -> str:
        said = f"{self.scored_nights} earlier nights scored, {self.kept_rows:,} rows kept for later"
        return "; ".join((said, *(f"ALERT: {alert}" for alert in self.alerts)))


def record_outcomes(con: duckdb.DuckDBPyConnection, night: Night) -> OutcomeReport:
    """Score what earlier nights published (ops.outcomes, ops.outcome_calibration), raise alerts about that and about
    drift (ops.alerts), and keep tonight's predictions until they can be scored.

    Reads the tables that tonight built, and nothing that happened since its as-of date. A home without earlier nights,
    and a head that was held then or is now, only leave less to say.
    """
    rows = night.monitoring.sample_rows
    build.set_variables(con, {"run_id": night.run_id, "as_of_date": night.as_of_date, "sample_rows": rows})
    report("scoring earlier nights", 0.1)
    scored = score_nights(con, night)
    alerts = raise_alerts(con, night)
    report("keeping tonight's predictions", 0.8)
    return OutcomeReport(keep_night(con, night), scored, tuple(alerts))
