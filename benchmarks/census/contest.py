"""One competitor, one seed, in a process of its own: `python contest.py FOLDER COMPETITOR ARCHITECTURE VARIANT SEED`.

Prints one line of JSON: samples a second of processor time in training (imports, building and evaluation do not count),
AUC of both tasks on the test fold, peak memory. Runs in the peers' interpreter too, so it needs NumPy only.
"""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

# Before NumPy and torch: one core, and no thread that spins while it waits.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import numpy as np

BATCH_ROWS, EPOCHS, LEARNING_RATE = 1024, 5, 1e-3
EMBEDDING_WIDTH, EXPERT_WIDTHS, TOWER_WIDTH = 8, (128, 64), 32
MMOE_EXPERTS, PLE_LEVELS, PLE_SHARED, PLE_SPECIFIC = 4, 2, 2, 2


@dataclass(frozen=True)
class Census:
    """`words` [n, 32], `numbers` [n, 7], `labels` [n, 2] of each fold, and the vocabulary of each word column."""

    folder: Path
    vocabulary: list[int]
    words: dict[str, np.ndarray]
    numbers: dict[str, np.ndarray]
    labels: dict[str, np.ndarray]

    @classmethod
    def load(cls, folder: Path) -> Census:
        arrays = np.load(folder / "census.npz")
        parts = {
            kind: {fold: arrays[f"{fold}_{kind}"] for fold in ("train", "validation", "test")}
            for kind in ("words", "numbers", "labels")
        }
        return cls(folder=folder, vocabulary=arrays["vocabulary"].tolist(), **parts)


@dataclass(frozen=True)
class Contestant:
    """`train` learns and says how many samples it has seen; `predict` gives [n, 2] scores of the test fold."""

    train: Callable[[], int]
    predict: Callable[[], np.ndarray]


def auc(labels: np.ndarray, scores: np.ndarray) -> float:
    """Area under the ROC curve; equal scores share their ranks."""
    _, inverse, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    positives = labels.sum()
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


def warm_up() -> None:
    """Torch imports its compiler with the first optimiser, which takes seconds and is nobody's training."""
    if torch := sys.modules.get("torch"):
        torch.optim.Adam([torch.zeros(1, requires_grad=True)], lr=LEARNING_RATE)


def main() -> None:
    folder, competitor, architecture, variant, seed = sys.argv[1:]
    census = Census.load(Path(folder))
    contestant: Contestant = importlib.import_module(competitor).contestant(census, architecture, variant, int(seed))
    warm_up()
    started = time.process_time()
    samples = contestant.train()
    seconds = time.process_time() - started
    scores, labels = contestant.predict(), census.labels["test"]
    result = {
        "samples_per_second": samples / seconds,
        "cpu_seconds": seconds,
        "auc": [auc(labels[:, task], scores[:, task]) for task in range(labels.shape[1])],
        "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
