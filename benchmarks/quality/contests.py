"""Ours beside the peers on the same rows: every measure of every contender, and how sure the difference is."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

import duckdb
import numpy as np
from heads.resampling import Numbers, redrawn, redrawn_entities
from quality.goals import Goal

from mtl_models import metrics
from mtl_models.score import Score
from tasks.read_samples import read_keys
from tasks.score_heads import Answers, score_answers

Z_95 = 1.96
OURS, NAIVE = "ours", "naive"
# Shown though they neither decide a release nor have a goal of their own.
ALSO_SHOWN = ("returned auc", "late_days pinball_p50", "late_days pinball_p90")
# Measures of one contender: {measured thing and metric: score}.
Scores = dict[str, Score]


@dataclass(frozen=True, kw_only=True)
class Contest:
    """A task with the answers of all contenders; `cpu_s` is what the peers cost. What is no task of a head says itself
    what it is measured by, and numbers the `entities` of its rows that are drawn together."""

    name: str
    task: str
    ours: Answers
    peers: Mapping[str, Answers]
    cpu_s: float = 0.0
    measured_by: Callable[[Answers], list[Score]] | None = None
    entities: Numbers | None = None

    def measures(self, answers: Answers) -> Scores:
        """{measured thing and metric: score} of these answers."""
        if self.measured_by is None:
            return measures(self.task, answers)
        return _by_name(self.measured_by(answers))

    def redrawn(self, con: duckdb.DuckDBPyConnection, answers: Answers, draws: int) -> Iterable[Answers]:
        """The answers about entities drawn anew, the same ones for every contender."""
        if self.entities is None:
            return redrawn(con, self.task, answers, draws)
        return redrawn_entities(answers, self.entities, int(self.entities.max()) + 1, draws)


@dataclass(frozen=True, kw_only=True)
class Line:
    """One measure: ours and the best peer's (`is_known`: from a study, not run here), and the half width of the 95%
    interval of their difference. `is_higher_better` is None where neither way is good; `missed_by` without a goal."""

    contest: str
    measure: str
    is_higher_better: bool | None
    value: float
    peer: str
    peer_value: float
    is_known: bool
    half_width: float
    goal: str | None = None
    missed_by: float | None = None
    peers: dict[str, float] = field(default_factory=dict)

    @property
    def difference(self) -> float:
        """Ours less theirs."""
        return self.value - self.peer_value


def play(
    con: duckdb.DuckDBPyConnection, contest: Contest, goals: Mapping[tuple[str, str], Goal], draws: int
) -> list[Line]:
    """A line for every measure that has a goal, that decides a release, or that is `ALSO_SHOWN`."""
    sides = {OURS: contest.ours, **contest.peers}
    published = {side: contest.measures(answers) for side, answers in sides.items()}
    drawn = {
        side: [contest.measures(again) for again in contest.redrawn(con, answers, draws)]
        for side, answers in sides.items()
    }
    return [
        _line(contest, name, score, goals.get((contest.name, name)), published, drawn)
        for name, score in published[OURS].items()
        if score.is_gate or name in ALSO_SHOWN or (contest.name, name) in goals
    ]


def measures(task: str, answers: Answers) -> Scores:
    """Those of the night, and some that only a comparison asks for."""
    return _by_name([*score_answers(task, answers), *_more(task, answers)])


def with_categories(con: duckdb.DuckDBPyConnection, answers: Answers) -> Answers:
    """Rows of demand with the number of their product's category, as features.categories has it."""
    names = read_keys(con, "demand", "test", "product_id, cutoff_date").join(
        con.sql(
            """select product_id, cutoff_date, category_index
            from features.products left join features.categories using (category)"""
        ).pl(),
        on=["product_id", "cutoff_date"],
        how="left",
        maintain_order="left",
    )
    return replace(answers, inputs={**answers.inputs, "category": names["category_index"].fill_null(-1).to_numpy()})


def _by_name(scores: Iterable[Score]) -> Scores:
    return {f"{score.task} {score.metric}": score for score in scores}


def _more(task: str, answers: Answers) -> list[Score]:
    if task == "profile":
        spend, (low, high) = (
            answers.targets["spend_28d"],
            (answers.predicted[f"expected_revenue_28d_{name}"] for name in ("p10", "p90")),
        )
        covered = float(((low <= spend) & (spend <= high)).mean())
        return [_measured("spend_28d", "coverage_p10_p90", covered, len(spend))]
    if task == "pricing" and "elasticity" in answers.predicted:
        tested = answers.inputs["is_price_test"] > 0
        elasticity = answers.predicted["elasticity"]
        return [
            _measured("elasticity", "all", float(elasticity[tested].mean()), int(tested.sum())),
            _measured("elasticity", "highest", float(elasticity.max()), len(tested)),
            *_by_category(answers.inputs["category"][tested], elasticity[tested]),
        ]
    return []


def _by_category(category: metrics.Values, elasticity: metrics.Values) -> list[Score]:
    return [
        _measured("elasticity", f"category_{index:.0f}", float(elasticity[category == index].mean()), 0)
        for index in np.unique(category)
    ]


def _measured(task: str, metric: str, value: float, count: int) -> Score:
    return Score(task, metric, value, float("nan"), "", None, False, count)


def _line(
    contest: Contest,
    name: str,
    score: Score,
    goal: Goal | None,
    published: Mapping[str, Scores],
    drawn: Mapping[str, list[Scores]],
) -> Line:
    values = {side: scores[name].value for side, scores in published.items() if name in scores}
    peers = {f"naive: {score.baseline}": score.baseline_value} | {s: v for s, v in values.items() if s != OURS}
    peers = {peer: value for peer, value in peers.items() if not math.isnan(value)}
    candidates = peers | ({f"{goal.known[0]} (known)": goal.known[1]} if goal and goal.known else {})
    best = min(candidates, key=lambda peer: _badness(candidates[peer], score, goal), default="")
    ours = np.array([scores[name].value for scores in drawn[OURS]])
    if best in drawn:
        ours = ours - np.array([scores[name].value for scores in drawn[best]])
    elif best.startswith(NAIVE):
        ours = ours - np.array([scores[name].baseline_value for scores in drawn[OURS]])
    return Line(
        contest=contest.name,
        measure=name,
        is_higher_better=score.is_higher_better,
        value=score.value,
        peer=best,
        peer_value=candidates.get(best, math.nan),
        is_known=bool(best) and best not in peers,
        half_width=float(Z_95 * np.nanstd(ours, ddof=1)),
        goal=str(goal) if goal else None,
        missed_by=goal.missed_by(score.value) if goal else None,
        peers=peers,
    )


def _badness(value: float, score: Score, goal: Goal | None) -> float:
    if score.is_higher_better is None:
        return abs(value - (goal.aim if goal else 0.0))
    return -value if score.is_higher_better else value
