"""What each task learns from each other: train without it and see who misses it."""

from __future__ import annotations

from collections.abc import Iterator

from mtl_models.config import ModelConfig
from tasks.tune_model import Bench, final_losses

Gains = dict[tuple[str, str], float]


def leave_one_out(bench: Bench, config: ModelConfig) -> Iterator[tuple[str, Gains]]:
    """Train all tasks together, then once without each; yields after each training what was left out and {(task, what
    was left out): ratio by which the task's loss is greater without it}. Above 0 the task learns from the other.

    One seed: small gains are luck.
    """
    together = final_losses(bench, config)
    for left in together:
        without = final_losses(bench, config, left) if len(together) > 1 else {}
        yield left, {(task, left): loss / together[task] - 1 for task, loss in without.items()}


def losses_without(gains: Gains) -> list[dict[str, str]]:
    """Gains as people read them: a row for each task that was left out, a column for each task's change of loss."""
    tasks = list(dict.fromkeys(left for _, left in gains))
    return [
        {"without": left} | {task: f"{gains[task, left]:+.1%}" if (task, left) in gains else "" for task in tasks}
        for left in tasks
    ]
