"""What a score is: a measure of the model beside the same measure of a baseline, on the same rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from mtl_models.metrics import Values

Measure = Callable[[Values, Values], float]
Columns = Mapping[str, Values]


@dataclass(frozen=True)
class Score:
    """One row of ops.model_metrics. `is_higher_better` is None where neither way is good."""

    task: str
    metric: str
    value: float
    baseline_value: float
    baseline: str
    is_higher_better: bool | None
    is_gate: bool
    sample_count: int

    @property
    def is_defined(self) -> bool:
        """Whether the model or the baseline can be measured on these rows at all."""
        return not (np.isnan(self.value) and np.isnan(self.baseline_value))

    def __str__(self) -> str:
        if not self.is_defined:
            return "is not defined on these rows"
        value, baseline = (
            "no number" if np.isnan(value) else f"{value:.3f}" for value in (self.value, self.baseline_value)
        )
        return f"{value} against {baseline}"

    @property
    def beats_baseline(self) -> bool:
        """Whether the model is better than the baseline; undefined measures beat nothing."""
        if np.isnan(self.value):
            return False
        if np.isnan(self.baseline_value) or self.is_higher_better is None:
            return True
        return self.value > self.baseline_value if self.is_higher_better else self.value < self.baseline_value


@dataclass(frozen=True)
class Prediction:
    """Observed values of one task with the model's and the baselines' answers to them."""

    task: str
    observed: Values
    model: Values
    baselines: Mapping[str, Values]

    def score(self, metric: str, measure: Measure, *, better: str | None = "lower", is_gate: bool = False) -> Score:
        """The measure of the model beside the best of the baselines by that measure."""
        sign = -1 if better == "higher" else 1
        plain = {name: self._measured(measure, values) for name, values in self.baselines.items()}
        name = min(plain, key=lambda name: abs(plain[name]) if better is None else sign * plain[name])
        value = self._measured(measure, self.model)
        is_higher = None if better is None else better == "higher"
        return Score(self.task, metric, value, plain[name], name, is_higher, is_gate, len(self.observed))

    def _measured(self, measure: Measure, values: Values) -> float:
        """NaN where the measure is not defined: of no rows, as a share of nothing, of answers that are no numbers."""
        if not len(self.observed):
            return float("nan")
        with np.errstate(all="ignore"):
            value = measure(self.observed, values)
        return value if np.isfinite(value) else float("nan")


def of_column(measure: Measure, i: int) -> Measure:
    """The measure of the i-th column of the predicted [n, k]."""
    return lambda observed, predicted: measure(observed, predicted[:, i])
