"""A small table with a task of each kind, whose truth is known."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from mtl_models import MultiTaskModel, TaskSpec

TASKS = (
    TaskSpec("bought", "binary"),
    TaskSpec("channel", "multiclass"),
    TaskSpec("spend", "regression"),
    TaskSpec("visits", "count"),
    TaskSpec("spend_range", "quantile", column="spend", levels=(0.1, 0.5, 0.9)),
)
SETTINGS = {"members": 2, "bins": 8, "trunk_widths": (32, 16), "embedding_width": 4, "batch_rows": 250}
EFFECTS = {"north": -1.0, "east": 0.0, "south": 1.0}


def people(n: int, seed: int = 0) -> pl.DataFrame:
    """Labels from one hidden taste: region's effect plus a bump in age, which no straight line follows."""
    random = np.random.default_rng(seed)
    region, age = random.choice(list(EFFECTS), n), random.uniform(18, 80, n)
    taste = np.vectorize(EFFECTS.get)(region) + 2 * np.exp(-(((age - 45) / 10) ** 2)) - 0.7
    spend = 50 + 10 * taste + random.normal(0, 5, n)
    return pl.DataFrame(
        {
            "region": region,
            "age": age,
            "is_member": random.random(n) < 0.5,
            "bought": random.random(n) < 1 / (1 + np.exp(-2 * taste)),
            "channel": np.where(taste + random.logistic(0, 0.5, n) > 0, "web", "shop"),
            "spend": spend,
            "visits": random.poisson(np.exp(0.5 + 0.5 * taste)),
            "taste": taste,
        }
    )


def with_gaps(frame: pl.DataFrame, columns: list[str], share: float, seed: int = 1) -> pl.DataFrame:
    """Some values of the columns are null."""
    random = np.random.default_rng(seed)
    gaps = {name: random.random(len(frame)) < share for name in columns}
    return frame.with_columns(pl.when(~pl.Series(gap)).then(pl.col(name)).alias(name) for name, gap in gaps.items())


@pytest.fixture(scope="session")
def trained() -> MultiTaskModel:
    """All kinds learned from 3,000 people, a tenth of whose features and labels are missing."""
    train = with_gaps(people(3000).drop("taste"), ["region", "age", "bought", "channel", "spend", "visits"], 0.1)
    model = MultiTaskModel(TASKS, **SETTINGS, learning_rate=1e-2, max_epochs=12)
    return model.fit(train, people(800, seed=2).drop("taste"))
