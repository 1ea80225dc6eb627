"""Where a training stands after each pass, on disk, so that one whose processes were killed goes on from there.

Kept are the averaged weights and the best ones so far, as safetensors, and numbers as JSON; not the optimiser's
moments: a training that goes on starts as a warm-started night does, from good weights with a fresh optimiser. So the
team that goes on may be smaller than the one that was killed.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from safetensors.torch import load_file, save_file
from torch import Tensor

Weights = Mapping[str, Tensor]

LATEST = "milestone.json"
# What keeps the three kinds of tensors of a file apart.
CURRENT, BEST, BALANCING = "current/", "best/", "balancing/"


@dataclass(frozen=True, kw_only=True)
class Epoch:
    """One pass: losses are relative to the baselines', so below 1 beats them. `validation_losses` is by task and
    empty in the finishing passes, which have no rows left to validate on.

    `number` is 0 where a task was trained alone. `left_out` counts the steps in which a task's loss was not finite, and
    `skipped_steps` those in which none was, or the gradient.
    """

    number: int
    training_loss: float
    validation_losses: Mapping[str, float]
    is_best: bool
    rows: int
    seconds: float
    left_out: Mapping[str, int]
    skipped_steps: int

    @property
    def validation_loss(self) -> float:
        """Mean over tasks; NaN in a finishing pass."""
        losses = list(self.validation_losses.values())
        return sum(losses) / len(losses) if losses else float("nan")


@dataclass(frozen=True, kw_only=True)
class Milestone:
    """After the passes `epochs`: the averaged weights, the best so far with their loss, how many passes it has been the
    best, and the balancing's state."""

    epochs: tuple[Epoch, ...]
    best_loss: float
    waited: int
    weights: Weights
    best_weights: Weights
    balancing: Weights


class Milestones:
    """The latest milestone in a folder that every member of a team reads and the first one writes."""

    def __init__(self, folder: Path, *, writes: bool) -> None:
        self.folder, self.writes = folder, writes

    def latest(self) -> Milestone | None:
        """The one to go on from; None before the first pass has ended."""
        try:
            told = json.loads((self.folder / LATEST).read_text(encoding="utf-8"))
        except FileNotFoundError:
            return None
        tensors = load_file(self.folder / told["file"])
        return Milestone(
            epochs=tuple(Epoch(**epoch) for epoch in told["epochs"]),
            best_loss=told["best_loss"],
            waited=told["waited"],
            weights=_of(tensors, CURRENT),
            best_weights=_of(tensors, BEST),
            balancing=_of(tensors, BALANCING),
        )

    def keep(self, at: Milestone) -> None:
        """Put this milestone in place of the one before, whole: the description, which names the file, comes last."""
        if not self.writes:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        kinds = {CURRENT: at.weights, BEST: at.best_weights, BALANCING: at.balancing}
        tensors = {
            f"{kind}{name}": tensor.detach().cpu().contiguous()
            for kind, weights in kinds.items()
            for name, tensor in weights.items()
        }
        file = self.folder / f"pass-{len(at.epochs):03d}.safetensors"
        save_file(tensors, file)
        told = {
            "file": file.name,
            "epochs": [asdict(epoch) for epoch in at.epochs],
            "best_loss": at.best_loss,
            "waited": at.waited,
        }
        aside = self.folder / f"{LATEST}.part"
        aside.write_text(json.dumps(told), encoding="utf-8")
        aside.replace(self.folder / LATEST)
        for earlier in self.folder.glob("pass-*.safetensors"):
            if earlier != file:
                earlier.unlink()


def _of(tensors: Weights, kind: str) -> dict[str, Tensor]:
    return {name.removeprefix(kind): tensor for name, tensor in tensors.items() if name.startswith(kind)}
