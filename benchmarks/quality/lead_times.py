"""How late suppliers' deliveries are: no head foretells it, the distribution of each supplier's own days does.

Ours is features.lead_times, which counts open lines as well. Peers learn from received lines alone: LightGBM line by
line, and the plain quantile of each supplier.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from heads.resampling import numbers_of
from numpy.typing import NDArray
from quality.contests import Contest
from quality.designs import FOLDS, Design, as_design
from quality.fits import LEAD_TIME, fit_design

from mtl_models.metrics import Values, count_coverage
from mtl_models.score import Prediction, Score
from tasks.score_heads import Answers
from tasks.serving import measured_window

QUERY = Path(__file__).parent / "lead_times.sql"
# Days after the promise that must be over for a line to be judged. Whoever foretells more than this, or comes later, is
# taken to say or be just this late: the quantile of the shorter of two waits is the shorter of the quantile and the
# other, so that who is best by the whole wait is best by its beginning.
SEEN_DAYS = 10
LEVELS = {"p50": 0.5, "p90": 0.9}
BASELINE = "received lines of the supplier"


def lead_time_contest(con: duckdb.DuckDBPyConnection, python: str | None) -> Contest | None:
    """Every judged line with the answers of all; None where there are none, or none to learn from."""
    rows = read_lines(con)
    if any(part.is_empty() for part in rows.values()):
        return None
    ours = answers_of(rows["test"])
    peers, seconds = {}, 0.0
    if python:
        fitted = fit_design(design_of(rows), LEAD_TIME, python)
        peers = {"LightGBM": replace(ours, predicted=_within_sight(fitted.predicted))}
        seconds = fitted.cpu_s
    return Contest(
        name="lead time",
        task=LEAD_TIME,
        ours=ours,
        peers=peers,
        cpu_s=seconds,
        measured_by=score_late_days,
        entities=numbers_of(rows["test"]["supplier_id"]),
    )


def read_lines(con: duckdb.DuckDBPyConnection) -> dict[str, pl.DataFrame]:
    """{fold: lines}, as lead_times.sql has them; none in a fold where the shop has none."""
    window = measured_window(con, "demand")
    lines = con.execute(QUERY.read_text(encoding="utf-8"), [*window, SEEN_DAYS]).pl()
    return {fold: lines.filter(pl.col("fold") == fold) for fold in FOLDS}


def design_of(rows: dict[str, pl.DataFrame]) -> Design:
    """What LightGBM reads of a line: only what was known when it was ordered."""
    hidden = pl.selectors.matches("^(fold|label_.*|late_days_.*|plain_.*)$")
    return as_design({fold: part.drop(hidden) for fold, part in rows.items()}, rows)


def answers_of(lines: pl.DataFrame) -> Answers:
    """Our answers, beside the plain quantiles."""
    ours, plain = (
        {f"late_days_{name}": lines[f"{prefix}_{name}"].to_numpy() for name in LEVELS}
        for prefix in ("late_days", "plain")
    )
    return Answers(
        targets={"late_days": lines["label_late_days"].to_numpy()},
        inputs={},
        baselines=_within_sight(plain),
        predicted=_within_sight(ours),
    )


def score_late_days(answers: Answers) -> list[Score]:
    """The pinball loss of both quantiles in days, and the share of lines that came within the p90."""
    late_days = answers.targets["late_days"]
    told = {
        name: Prediction("late_days", late_days, answers.predicted[column], {BASELINE: answers.baselines[column]})
        for name, column in ((name, f"late_days_{name}") for name in LEVELS)
    }
    losses = [told[name].score(f"pinball_{name}", partial(pinball, level=level)) for name, level in LEVELS.items()]
    return [*losses, told["p90"].score("coverage_p90", coverage, better=None)]


def pinball(observed: Values, quantile: Values, level: float) -> float:
    """The mean loss that the `level` quantile minimises (Koenker and Bassett 1978)."""
    gap = observed - quantile
    return float(np.maximum(level * gap, (level - 1) * gap).mean())


def coverage(late_days: Values, quantile: Values) -> float:
    """Share of lines that came by the day that was named, a day's share spread evenly over the day. What did not come
    within sight came by no day."""
    return count_coverage(np.where(late_days < SEEN_DAYS, late_days, np.inf), quantile)


def _within_sight(quantiles: dict[str, NDArray]) -> dict[str, NDArray]:
    return {name: np.minimum(days, SEEN_DAYS) for name, days in quantiles.items()}
