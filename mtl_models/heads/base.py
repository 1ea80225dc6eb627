"""What every head promises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor, nn

from mtl_models.calibrate import Calibration
from mtl_models.demand_curve import Curve
from mtl_models.preprocess import Scaler
from mtl_models.samples import Entities, TaskSamples

Outputs = dict[str, Tensor]


@dataclass(frozen=True)
class View:
    """What a head sees of its rows: features from the shared part [n, width], the entities that they name and, for
    demand, the curve."""

    shared: Tensor
    entities: Entities
    curve: Curve | None = None

    @property
    def demand(self) -> Curve:
        """The curve; ValueError for rows of another table than demand."""
        if self.curve is None:
            raise ValueError("only rows of the demand table have a demand curve")
        return self.curve


class Head(nn.Module):
    """One task: outputs, losses and predictions from the shared features.

    `table` is the sample table that it learns from. `branch`: heads of one branch read the same features; a head
    without one has a branch of its own, named as its task. `is_blind_to_ids`: its rows never show their user's or
    product's id to the encoders. `log_odds`: outputs that are log odds of the targets of the same names. `levels`:
    those of its quantiles. Both are calibrated: in `predictions`, never in `losses`.
    """

    table: ClassVar[str]
    branch: ClassVar[str] = ""
    is_blind_to_ids: ClassVar[bool] = False
    log_odds: ClassVar[tuple[str, ...]] = ()
    levels: ClassVar[tuple[float, ...]] = ()

    def __init__(self, width: int, interests: int) -> None:
        super().__init__()
        self.calibration = Calibration(self.log_odds, self.levels)

    def lay_out(self, context: Scaler, users: Scaler) -> None:
        """Told once, when the model is built, what each column of its rows' context and of users' numbers says."""

    def fit_baseline(self, rows: TaskSamples, entities: Entities) -> None:
        """Learn the constants of the baseline from training rows, and the entities that they name; called once, before
        training."""

    def forward(self, view: View, rows: TaskSamples) -> Outputs:
        """Raw outputs, [n] or [n, k] each."""
        raise NotImplementedError

    def residuals(self, view: View) -> Tensor:
        """[n, k] what the features add to the baselines of `log_odds` (supply: of its log level); asked only of heads
        that a link of `consistency` names."""
        raise NotImplementedError

    def losses(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Mean loss of each target over the rows where it is known; scalars."""
        raise NotImplementedError

    def calibrate(self, outputs: Outputs, rows: TaskSamples) -> None:
        """Learn the corrections of `predictions` from rows that training has not seen."""
        for name in self.log_odds:
            self.calibration.learn_probability(name, outputs[name], rows.targets[name].clamp(0.0, 1.0))

    def probability(self, name: str, outputs: Outputs) -> Tensor:
        """[n] calibrated, of one of `log_odds`."""
        return self.calibration.probability(name, outputs[name])

    def predictions(self, outputs: Outputs, rows: TaskSamples) -> dict[str, Tensor]:
        """Columns of the predicted table, [n] or [n, k] each."""
        raise NotImplementedError
