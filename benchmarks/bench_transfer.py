"""A new shop with little data, from scratch and on top of another shop's model.

python benchmarks/bench_transfer.py [MODEL_FOLDER]      without one, the model of a demo shop (small, seed 1) is trained

The new shop is tiny (300 users against 5,000) and has another seed: other users, products, sites and habits. Both ways
train on the same rows from the same seeds, by the settings' defaults; measured is the best pass on the validation
window, as a share of the baselines' loss. Last line: one JSON object.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from flows.environment import set_defaults
from flows.settings import load_settings
from flows.work import Work, at_work
from tasks.build_features import build_features
from tasks.ingest_feeds import ingest_feeds
from tasks.train_model import train_model
from tasks.validate_feeds import validate_feeds

OLD_SHOP, NEW_SHOP = "demo_shop:small?seed=1", "demo_shop:tiny?seed=2"
SEEDS = range(5)


@contextmanager
def shop_of(source: str, home: Path) -> Iterator[Work]:
    """A shop whose samples are built."""
    with at_work(load_settings(home=home, source=source), None, (), ()) as work:
        for step in (ingest_feeds, validate_feeds, build_features):
            step(work.con, work.night)
        yield work


def best_losses(work: Work, warm_start: bool | str, seed: int) -> dict[str, float]:
    """{task: relative loss} on the validation window, of the pass with the least mean."""
    model = work.night.model.model_copy(update={"warm_start": warm_start, "seed": seed})
    report = train_model(work.con, work.night.model_copy(update={"model": model}))
    passes = [epoch for epoch in report.epochs if epoch.validation_losses]
    return dict(min(passes, key=lambda epoch: epoch.validation_loss).validation_losses)


def main() -> None:
    set_defaults()
    with tempfile.TemporaryDirectory(prefix="fivefold-transfer-") as folder:
        start = Path(sys.argv[1]).resolve() if sys.argv[1:] else Path(folder) / "old"
        if not sys.argv[1:]:
            with shop_of(OLD_SHOP, start) as work:
                train_model(work.con, work.night)
                start = work.night.model_folder
        with shop_of(NEW_SHOP, Path(folder) / "new") as work:
            cold = [best_losses(work, False, seed) for seed in SEEDS]
            warm = [best_losses(work, str(start), seed) for seed in SEEDS]
    tasks = {}
    print(f"{'validation loss / baseline':<28}{'scratch':>9}{'transfer':>10}{'gain':>8}{'better':>9}")
    for task in (*cold[0], "mean"):
        pairs = [(of(before, task), of(after, task)) for before, after in zip(cold, warm, strict=True)]
        scratch, transfer = (statistics.mean(side) for side in zip(*pairs, strict=True))
        better = sum(after < before for before, after in pairs)
        tasks[task] = {"scratch": round(scratch, 4), "transfer": round(transfer, 4), "seeds_better": better}
        gain = 1 - transfer / scratch
        print(f"{task:<28}{scratch:>9.4f}{transfer:>10.4f}{gain:>8.1%}{better:>4} of {len(pairs)}")
    print(json.dumps({"benchmark": "transfer", "seeds": len(SEEDS), "losses": tasks}))


def of(losses: dict[str, float], task: str) -> float:
    """A task's loss, or the mean of all."""
    return statistics.mean(losses.values()) if task == "mean" else losses[task]


if __name__ == "__main__":
    main()
