"""LightGBM, a model for each task, stopped early by the validation fold; its samples are counted as five passes."""

from __future__ import annotations

import contest
import lightgbm
import numpy as np
from contest import Census, Contestant


def contestant(census: Census, architecture: str, variant: str, seed: int) -> Contestant:
    rows = {
        fold: np.concatenate([census.words[fold], census.numbers[fold]], axis=1, dtype=np.float64)
        for fold in ("train", "validation", "test")
    }
    categories = list(range(len(census.vocabulary)))
    models: list[lightgbm.Booster] = []
    settings = {"objective": "binary", "metric": "auc", "learning_rate": 0.05, "seed": seed, "bagging_fraction": 0.8}
    settings |= {"feature_fraction": 0.8, "bagging_freq": 1, "num_threads": 1, "verbose": -1}

    def train() -> int:
        for task in range(2):
            train_set = lightgbm.Dataset(rows["train"], census.labels["train"][:, task], categorical_feature=categories)
            validation = train_set.create_valid(rows["validation"], census.labels["validation"][:, task])
            stop = lightgbm.early_stopping(50, verbose=False)
            models.append(lightgbm.train(settings, train_set, 2000, valid_sets=[validation], callbacks=[stop]))
        return contest.EPOCHS * len(rows["train"])

    return Contestant(train, lambda: np.stack([model.predict(rows["test"]) for model in models], axis=1))
