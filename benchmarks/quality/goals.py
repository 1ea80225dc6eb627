"""What is aimed at, and what the best single-task tools are known to reach on the same window.

Goals of the grocery chain, and `known`, are from a study of these data by the same split: models of every kind, tuned
on the four weeks before. The measures are those of that study's own scorers: `mtl_models.scorecard` was held against
them on the same predictions (all digits that they print).
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Goal:
    """A measure of a contest between `floor` and `ceiling` (None leaves a side open); `known` names the best tool that
    does not run here and its value."""

    contest: str
    measure: str
    floor: float | None = None
    ceiling: float | None = None
    known: tuple[str, float] | None = None

    def missed_by(self, value: float) -> float:
        """How far the value is outside; 0 where the goal is met."""
        below = self.floor - value if self.floor is not None else 0.0
        above = value - self.ceiling if self.ceiling is not None else 0.0
        return max(below, above, 0.0)

    @property
    def aim(self) -> float:
        """The value at which a measure is best that is good in neither direction."""
        bounds = [bound for bound in (self.floor, self.ceiling) if bound is not None]
        return sum(bounds) / len(bounds)

    def __str__(self) -> str:
        if self.floor is None or self.ceiling is None:
            return f"≥ {self.floor:.4g}" if self.ceiling is None else f"≤ {self.ceiling:.4g}"
        return f"{self.floor:.4g} to {self.ceiling:.4g}"


def _covers(contest: str, measure: str, level: float, half: float = 0.03) -> Goal:
    return Goal(contest=contest, measure=measure, floor=level - half, ceiling=level + half)


def _at_least(contest: str, measure: str, floor: float, tool: str, value: float) -> Goal:
    return Goal(contest=contest, measure=measure, floor=floor, known=(tool, value))


def _at_most(contest: str, measure: str, ceiling: float, tool: str, value: float) -> Goal:
    return Goal(contest=contest, measure=measure, ceiling=ceiling, known=(tool, value))


L1, TWEEDIE, BINARY = "LightGBM L1", "LightGBM Tweedie", "LightGBM"
RANKER, PLANNED, UNPLANNED = "LightGBM lambdarank", "LightGBM with the plan", "LightGBM"
PRIOR, POISSON, LOGISTIC = "smoothed history", "LightGBM Poisson", "logistic regression"

GROCER = (
    _at_least("profile", "spend_28d spearman", 0.778, L1, 0.778),
    _at_least("profile", "spend_28d decile_gini", 0.834, L1, 0.834),
    _at_most("profile", "spend_28d mae_of_mean", 70.1, L1, 70.1),
    _at_most("profile", "spend_28d decile_mape", 0.10, TWEEDIE, 0.064),
    Goal(contest="profile", measure="spend_28d bias_percent", floor=-5, ceiling=5, known=("last 28 days", -3.4)),
    Goal(contest="profile", measure="spend_28d coverage_p10_p90", floor=0.78, ceiling=0.82),
    _at_least("profile", "buys_28d auc", 0.876, BINARY, 0.876),
    _at_most("profile", "buys_28d brier", 0.102, BINARY, 0.102),
    _at_least("profile", "buys_7d auc", 0.835, BINARY, 0.835),
    _at_most("profile", "buys_7d brier", 0.166, BINARY, 0.166),
    _at_most("profile", "category_shares cross_entropy", 1.60, PRIOR, 1.606),
    _at_least("profile", "category_shares ndcg_5", 0.902, PRIOR, 0.9016),
    _at_least("recommendation", "all recall_20", 0.140, RANKER, 0.140),
    _at_least("recommendation", "all ndcg_20", 0.352, RANKER, 0.352),
    _at_least("recommendation", "new ndcg_20", 0.0456, "EASE", 0.0456),
    _at_least("recommendation", "all coverage", 0.15, "personal frequency", 0.175),
    _at_most("pricing", "price_response wape_seen", 0.355, POISSON, 0.355),
    _at_most("pricing", "price_response poisson_deviance", 2.93, POISSON, 2.93),
    Goal(
        contest="pricing",
        measure="price_response bias_percent_promoted",
        floor=-2,
        ceiling=2,
        known=("log-log Poisson", -0.3),
    ),
    Goal(contest="pricing", measure="elasticity all", floor=-1.31, ceiling=-1.14, known=("double ML", -1.22)),
    Goal(contest="pricing", measure="elasticity highest", ceiling=0),
    _at_most("supply", "demand wql_mean", 0.245, PLANNED, 0.245),
    _at_most("supply", "demand wape_of_median", 0.426, PLANNED, 0.426),
    *(_covers("supply", f"demand coverage_{name}", level) for name, level in
      (("p10", 0.10), ("p50", 0.50), ("p90", 0.90), ("p95", 0.95))),
    _at_most("supply without the plan", "demand wql_mean", 0.299, UNPLANNED, 0.299),
    _at_most("supply without the plan", "demand wape_of_median", 0.495, UNPLANNED, 0.495),
    _at_least("promotion", "redemption auc", 0.851, LOGISTIC, 0.851),
    _at_least("promotion", "redemption auc_within_campaign", 0.850, LOGISTIC, 0.850),
    _at_most("promotion", "redemption brier", 0.088, LOGISTIC, 0.088),
)  # fmt: skip
# The demo shop has the purchase orders that the grocery chain lacks.
DEMO_SHOP = (_covers("lead time", "late_days coverage_p90", 0.90),)
GOALS = {"completejourney": GROCER, "demo_shop": DEMO_SHOP}
# CPU seconds of the peers of that study added up, and memory in MiB.
MOST_CPU_S, MOST_MEMORY_MIB = 190, 2048


def goals_of(source: str) -> dict[tuple[str, str], Goal]:
    """{contest and measure: goal} of the shop with this source; others have none."""
    kind = source.partition(":")[0]
    return {(goal.contest, goal.measure): goal for goal in GOALS.get(kind, ())}
