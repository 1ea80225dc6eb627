"""What happens to each way of sharing when tasks have less and less in common.

python benchmarks/bench_mtl_synthetic.py [--seeds 5] [--plot curve.svg]

The synthetic regression of Ma et al. 2018 ("Modeling Task Relationships in Multi-task Learning with Multi-gate
Mixture-of-Experts", section 3.2): two tasks y_k = w_k'x + sum_i sin(a_i w_k'x + b_i) + noise, with the cosine between
w_1 and w_2 set. Hidden units are the same number for every way of sharing, so that none wins by size: a trunk of 128, a
trunk of 64 for each task (`single`), 8 experts of 16 (`mmoe`), 4 shared and 2 own experts of 16 (`ple`). Reported is
the squared error on unseen rows as a share of the variance, mean of both tasks, over seeds that are the same for all;
and, since one seed's sines are ten times as hard as another's, how many times the same seed's error with correlation 1
it is, as the geometric mean over the seeds. The plot shows these ratios.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
from pathlib import Path

import numpy as np
import polars as pl
import torch

from mtl_models import MultiTaskModel, TaskSpec

CORRELATIONS = (1.0, 0.75, 0.5, 0.0)
INPUTS, SINES, NOISE, SCALE = 32, 4, 0.1, 1.0
TRAIN_ROWS, VALIDATION_ROWS, TEST_ROWS = 4000, 1000, 4000
TASKS = (TaskSpec("y1", "regression"), TaskSpec("y2", "regression"))
FAMILIES = {
    "single": {"trunk_widths": (64,)},
    "hard": {"trunk_widths": (128,)},
    "mmoe": {"trunk_widths": (16,), "experts": 8},
    "ple": {"trunk_widths": (16,), "shared_experts": 4, "specific_experts": 2, "expert_levels": 1},
}
TRAINING = {"bins": 0, "members": 1, "dropout": 0.0, "tower_width": 8, "weight_decay": 0.0}
TRAINING |= {"batch_rows": 128, "learning_rate": 3e-3, "max_epochs": 60, "patience": 4}

# {(family, correlation): error of each seed}
Errors = dict[tuple[str, float], list[float]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--plot", type=Path, help="where to write the curve, as SVG")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    errors: Errors = {(family, correlation): [] for family in FAMILIES for correlation in CORRELATIONS}
    for seed in range(arguments.seeds):
        for correlation in CORRELATIONS:
            frame = rows(correlation, seed)
            for family in FAMILIES:
                errors[family, correlation].append(error(family, frame, seed))
            print(f"seed {seed}, correlation {correlation}: done", file=sys.stderr)
    print_table(errors)
    if arguments.plot:
        arguments.plot.write_text(svg(errors), encoding="utf-8")
    means = {f"{family} {correlation}": statistics.mean(values) for (family, correlation), values in errors.items()}
    print(json.dumps({"benchmark": "mtl_synthetic", "seeds": arguments.seeds, "error": means}))


def rows(correlation: float, seed: int) -> pl.DataFrame:
    """Inputs x0, x1, ... and labels y1, y2; the luck of a seed is the same for every correlation."""
    random = np.random.default_rng(seed)
    basis, _ = np.linalg.qr(random.normal(size=(INPUTS, 2)))  # two orthogonal unit vectors
    second = correlation * basis[:, 0] + np.sqrt(1 - correlation**2) * basis[:, 1]
    slopes, shifts = random.uniform(1, 3, SINES), random.uniform(0, 2 * np.pi, SINES)
    x = random.normal(size=(TRAIN_ROWS + VALIDATION_ROWS + TEST_ROWS, INPUTS))
    frame = pl.DataFrame(x, schema=[f"x{i}" for i in range(INPUTS)])
    for task, weights in zip(TASKS, (basis[:, 0], second), strict=True):
        signal = SCALE * x @ weights
        label = signal + np.sin(np.outer(signal, slopes) + shifts).sum(axis=1) + random.normal(0, NOISE, len(x))
        frame = frame.with_columns(pl.Series(task.name, label))
    return frame


def error(family: str, frame: pl.DataFrame, seed: int) -> float:
    """Squared error on the test rows as a share of the variance, mean of both tasks."""
    train, validation, test = (
        frame[:TRAIN_ROWS],
        frame[TRAIN_ROWS : TRAIN_ROWS + VALIDATION_ROWS],
        frame[TRAIN_ROWS + VALIDATION_ROWS :],
    )
    model = MultiTaskModel(TASKS, sharing=family, seed=seed, **FAMILIES[family], **TRAINING).fit(train, validation)
    predicted = model.predict(test)
    return statistics.mean(
        float(((predicted[task.name] - test[task.name]) ** 2).mean() / test[task.name].var()) for task in TASKS
    )


def ratios(errors: Errors, family: str, correlation: float) -> list[float]:
    """Of each seed: how many times its error with correlation 1 the error is."""
    return [error / alike for error, alike in zip(errors[family, correlation], errors[family, 1.0], strict=True)]


def print_table(errors: Errors) -> None:
    print(f"{'correlation':14}" + "".join(f"{correlation:>16}" for correlation in CORRELATIONS))
    for family in FAMILIES:
        cells = []
        for correlation in CORRELATIONS:
            values = errors[family, correlation]
            deviation = statistics.stdev(values) / len(values) ** 0.5 if len(values) > 1 else float("nan")
            cells.append(f"{statistics.mean(values):.4f} ({deviation:.4f})")
        print(f"{family:14}" + "".join(f"{cell:>16}" for cell in cells))
    print("squared error / variance (standard error over seeds)\n")
    for family in FAMILIES:
        cells = []
        for correlation in CORRELATIONS:
            found = ratios(errors, family, correlation)
            rose = f"({sum(ratio > 1 for ratio in found)} of {len(found)})"
            cells.append(f"{statistics.geometric_mean(found):.2f} {rose}")
        print(f"{family:14}" + "".join(f"{cell:>16}" for cell in cells))
    print("times the error with correlation 1, geometric mean (seeds on which it is greater)")


def svg(errors: Errors, width: int = 640, height: int = 400) -> str:
    """The ratios of each family over correlation, falling from 1 on the left to 0 on the right."""
    means = {key: statistics.geometric_mean(ratios(errors, *key)) for key in errors}
    top = 1.05 * max(means.values())
    colours = dict(zip(FAMILIES, ("#888888", "#d62728", "#1f77b4", "#2ca02c"), strict=True))

    def place(correlation: float, value: float) -> tuple[float, float]:
        return 60 + (1 - correlation) * (width - 160), (height - 50) - value / top * (height - 80)

    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" font-family="sans-serif">']
    parts.append('<rect width="100%" height="100%" fill="white"/>')
    for value in np.linspace(0, top, 5):
        (left, y), (right, _) = place(1.0, value), place(0.0, value)
        parts.append(f'<line x1="{left}" y1="{y:.1f}" x2="{right}" y2="{y:.1f}" stroke="#dddddd"/>')
        parts.append(f'<text x="{left - 8}" y="{y + 4:.1f}" text-anchor="end" font-size="12">{value:.2f}</text>')
    for correlation in CORRELATIONS:
        x, y = place(correlation, 0)
        parts.append(f'<text x="{x:.1f}" y="{y + 18:.1f}" text-anchor="middle" font-size="12">{correlation:g}</text>')
    for family, colour in colours.items():
        points = [place(correlation, means[family, correlation]) for correlation in CORRELATIONS]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        x, y = points[-1]
        parts.append(f'<text x="{x + 8:.1f}" y="{y + 4:.1f}" font-size="13" fill="{colour}">{family}</text>')
    caption = "Error by correlation of the tasks, as a multiple of that with correlation 1"
    parts.append(f'<text x="60" y="20" font-size="14">{caption}</text></svg>')
    return "\n".join(parts)


if __name__ == "__main__":
    main()
