"""A step of training by the size of an id table: all rows moved at once, and only those that the batch names.

The table is read by the encoder of users, whose step is forward, backward, clipping, the optimiser and the average.
Where the second way costs less, `mtl_models.encoders.SPARSE_ROWS` should lie. Processor time of one thread, the best of
several rounds.
"""

from __future__ import annotations

import argparse
import json
import time

import torch

from mtl_models import encoders
from mtl_models.config import ModelConfig
from mtl_models.encoders import EntityEncoder
from mtl_models.optimiser import Optimiser
from mtl_models.preprocess import EntitySpec, Scaler, Vocabulary
from mtl_models.samples import EntityTable

ROWS = (10_000, 25_000, 50_000, 100_000, 200_000, 500_000, 1_000_000)
# Distinct ids in a batch of 4,096 rows of all tasks, as nights of the demo shop have them.
IDS_OF_A_BATCH = 1_500
ROUNDS, STEPS = 5, 20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    rows = parser.parse_args().rows
    torch.set_num_threads(1)
    found = [{"rows": count} | {way: measure(count, way) for way in ("all", "seen")} for count in rows]
    print(f"{'ids':>12} {'all rows, ms':>14} {'rows seen, ms':>14} {'ratio':>7}")
    for row in found:
        print(f"{row['rows']:>12,} {row['all']:>14.2f} {row['seen']:>14.2f} {row['all'] / row['seen']:>7.1f}")
    print(json.dumps(found))


def measure(rows: int, way: str) -> float:
    """Milliseconds of processor time of one step."""
    encoders.SPARSE_ROWS = 0 if way == "seen" else rows + 2
    config, generator = ModelConfig(), torch.Generator().manual_seed(0)
    words = Vocabulary(words=tuple(map(str, range(rows))))
    encoder = EntityEncoder(EntitySpec(ids=words, categories={}, numbers=Scaler(names=())), config)
    groups = [{"params": list(encoder.parameters()), "lr": config.learning_rate, "factor": 1.0}]
    optimiser = Optimiser(encoder, groups, config)  # type: ignore[arg-type]
    table = EntityTable(torch.arange(rows) + 1, torch.zeros(rows, 0, dtype=torch.int64), torch.zeros(rows, 0))

    def step() -> None:
        drawn = torch.randint(0, rows, (IDS_OF_A_BATCH,), generator=generator)
        optimiser.clear()
        encoder(table, drawn, torch.zeros_like(drawn, dtype=torch.bool)).square().sum().backward()
        optimiser.clip()
        optimiser.step()

    step()
    best = float("inf")
    for _ in range(ROUNDS):
        clock = time.process_time()
        for _ in range(STEPS):
            step()
        best = min(best, (time.process_time() - clock) / STEPS)
    return round(1000 * best, 3)


if __name__ == "__main__":
    main()
