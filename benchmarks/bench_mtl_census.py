"""Two tasks of the UCI Census-Income (KDD) data, against the libraries people use for them.

python benchmarks/bench_mtl_census.py census-income.test.gz [--peers-python PEERS/bin/python] [--seeds 3] [--only ours]

Equal for all: tensors, split, batch 1024, Adam 1e-3, 5 epochs, embeddings of 8, experts 128-64 with ReLU, towers of 32,
4 experts in MMoE, 2 levels of 2 shared and 2 specific experts in PLE. `bare` is the same architecture as ours written
down plainly. The peers train in their own loop (`own`, as documented) and, lent our plain one, with rows resident in
memory (`lent`). `defaults` is `MultiTaskModel` as it comes, which stops by the validation fold; so does LightGBM.

Each run is a process on one core. Samples are counted by processor time, mean over the seeds; the seeds take turns over
all competitors, so that a busy machine slows all of them. The peers are an extra, in this interpreter or in another:
pip install -c constraints.txt ".[peers]"
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from census import data

HERE = Path(__file__).parent
ARCHITECTURES = ("hard", "mmoe", "ple")
# What is aimed at: times the samples a second of each, by the same architecture.
TARGETS = {"deepctr own": 3.0, "rechub own": 5.0, "bare auto": 0.9, "bare float32": 0.9}


@dataclass(frozen=True)
class Competitor:
    """`variant`: the precision of ours and bare, the loop of the peers."""

    name: str
    architecture: str
    variant: str

    @property
    def is_peer(self) -> bool:
        return self.name in ("deepctr", "rechub", "gbdt")

    def __str__(self) -> str:
        return f"{self.name} {self.architecture} {self.variant}"


COMPETITORS = [
    *(Competitor(name, a, "auto") for a in ARCHITECTURES for name in ("ours", "bare")),
    *(Competitor(name, a, "float32") for a in ARCHITECTURES for name in ("ours", "bare")),
    *(Competitor(name, a, loop) for a in ARCHITECTURES for name in ("deepctr", "rechub") for loop in ("own", "lent")),
    Competitor("gbdt", "single", "lightgbm"),
    Competitor("ours", "defaults", "auto"),
]

Results = dict[Competitor, list[dict]]


def main() -> None:
    arguments = parse()
    chosen = [c for c in COMPETITORS if not arguments.only or c.name in arguments.only or str(c) in arguments.only]
    check_peers(arguments.peers_python, chosen)
    results: Results = {competitor: [] for competitor in chosen}
    with tempfile.TemporaryDirectory() as folder:
        data.prepare(arguments.data, Path(folder), arguments.rows)
        for seed in range(arguments.seeds):
            for competitor in chosen:
                results[competitor].append(run(competitor, seed, folder, arguments.peers_python))
                print(f"seed {seed} {competitor}: {results[competitor][-1]}", file=sys.stderr)
    print_table(results)
    print_targets(results)
    print(json.dumps({"benchmark": "mtl_census", "results": {str(c): means(r) for c, r in results.items()}}))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, help="census-income.test.gz")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has the peers")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--rows", type=int, help="only so many training rows, for a quick look")
    parser.add_argument(
        "--only", type=lambda names: names.split(","), help="names (ours) or whole ones (ours ple auto)"
    )
    return parser.parse_args()


def check_peers(python: Path | None, chosen: list[Competitor]) -> None:
    """Stop early when a peer cannot run."""
    if not any(competitor.is_peer for competitor in chosen):
        return
    if python is None:
        sys.exit(f"--peers-python is missing. The peers need an interpreter of their own:\n{__doc__.split('own:')[-1]}")
    probe = subprocess.run(
        [python, "-c", "import deepctr_torch, lightgbm, torch_rechub"], capture_output=True, text=True
    )
    if probe.returncode:
        reason = probe.stderr.splitlines()[-1]
        sys.exit(f'{python}: {reason}. Remedy: pip install -c constraints.txt ".[peers]", or --only ours,bare')


def run(competitor: Competitor, seed: int, folder: str, peers_python: str) -> dict:
    """What `contest.py` printed."""
    python = peers_python if competitor.is_peer else sys.executable
    part = [competitor.name, competitor.architecture, competitor.variant, str(seed)]
    done = subprocess.run([python, HERE / "census/contest.py", folder, *part], capture_output=True, text=True)
    if done.returncode:
        sys.exit(f"{competitor} failed:\n{done.stderr}")
    return json.loads(done.stdout.splitlines()[-1])


def means(runs: list[dict]) -> dict[str, float]:
    return {
        "samples_per_second": statistics.mean(run["samples_per_second"] for run in runs),
        "cpu_seconds": statistics.mean(run["cpu_seconds"] for run in runs),
        "auc_income": statistics.mean(run["auc"][0] for run in runs),
        "auc_single": statistics.mean(run["auc"][1] for run in runs),
        "peak_mb": max(run["peak_mb"] for run in runs),
    }


def print_table(results: Results) -> None:
    print(f"{'':24}{'samples/s':>10}{'CPU s':>8}{'AUC income':>20}{'AUC never married':>20}{'peak MB':>9}")
    for competitor, runs in results.items():
        mean = means(runs)
        areas = "".join(f"{spread([run['auc'][task] for run in runs]):>20}" for task in range(2))
        speed = f"{mean['samples_per_second']:10,.0f}{mean['cpu_seconds']:8.1f}"
        print(f"{competitor!s:24}{speed}{areas}{mean['peak_mb']:9.0f}")


def spread(values: list[float]) -> str:
    deviation = statistics.stdev(values) if len(values) > 1 else float("nan")
    return f"{statistics.mean(values):.4f} ({deviation:.4f})"


def print_targets(results: Results) -> None:
    """Ours beside each of the same architecture: how many times the samples a second, which AUC."""
    print()
    for ours in (competitor for competitor in results if competitor.name == "ours"):
        for other, runs in results.items():
            kind = f"{other.name} {other.variant}"
            is_pair = other.architecture == ours.architecture and other.name != "ours"
            if is_pair and (other.variant == ours.variant or (other.is_peer and ours.variant == "auto")):
                mine, theirs = means(results[ours]), means(runs)
                ratio = mine["samples_per_second"] / theirs["samples_per_second"]
                target = f" (target {TARGETS[kind]})" if kind in TARGETS else ""
                gaps = " ".join(f"{mine[name] - theirs[name]:+.4f}" for name in ("auc_income", "auc_single"))
                print(f"{ours} / {kind}: {ratio:.2f} times the samples/s{target}, AUC {gaps}")


if __name__ == "__main__":
    main()
