"""The network and training loop of `MultiTaskModel` in the protocol's architecture, or (`defaults`) as it comes."""

from __future__ import annotations

import contest
import numpy as np
import polars as pl
import torch
from contest import Census, Contestant

from mtl_models import MultiTaskModel, TabularConfig, TaskSpec
from mtl_models.preprocess import Scaler, Vocabulary
from mtl_models.tabular.fit import fit, predict
from mtl_models.tabular.frame import FrameEncoder, Rows
from mtl_models.tabular.network import TabularNetwork
from mtl_models.tabular.targets import fit_target

torch.set_num_threads(1)
TASKS = (
    TaskSpec("income", "binary", column="income_50k", positive="50000+."),
    TaskSpec("single", "binary", column="marital_stat", positive="Never married"),
)


def contestant(census: Census, architecture: str, precision: str, seed: int) -> Contestant:
    return defaults(census, seed) if architecture == "defaults" else protocol(census, architecture, precision, seed)


def protocol(census: Census, sharing: str, precision: str, seed: int) -> Contestant:
    config = TabularConfig(
        sharing=sharing,
        experts=contest.MMOE_EXPERTS,
        expert_levels=contest.PLE_LEVELS,
        shared_experts=contest.PLE_SHARED,
        specific_experts=contest.PLE_SPECIFIC,
        trunk_widths=contest.EXPERT_WIDTHS,
        tower_width=contest.TOWER_WIDTH,
        embedding_width=contest.EMBEDDING_WIDTH,
        bins=0,
        members=1,
        activation="relu",
        dropout=0.0,
        learning_rate=contest.LEARNING_RATE,
        weight_decay=0.0,
        batch_rows=contest.BATCH_ROWS,
        max_epochs=contest.EPOCHS,
        precision=precision,
        seed=seed,
    )
    torch.manual_seed(seed)
    names = [f"column_{i}" for i in range(len(census.vocabulary))]
    numbers = census.numbers["train"].shape[1]
    encoder = FrameEncoder(
        words={
            name: Vocabulary(words=tuple(map(str, range(size - 1))))
            for name, size in zip(names, census.vocabulary, strict=True)
        },
        numbers=Scaler(
            names=tuple(f"number_{i}" for i in range(numbers)),
            lowest=(0.0,) * numbers,
            highest=(0.0,) * numbers,
            is_sometimes_missing=(False,) * numbers,
        ),
        edges={},
    )
    labels = pl.DataFrame(census.labels["train"], schema=["income", "single"])
    network = TabularNetwork(encoder, [fit_target(TaskSpec(task, "binary"), labels) for task in labels.columns], config)
    train_rows, test_rows = (rows_of(census, fold) for fold in ("train", "test"))

    def train() -> int:
        network.fit_scales(train_rows.labels)
        return sum(len(train_rows) for _ in fit(network, train_rows, None))

    return Contestant(train, lambda: torch.cat(network.predictions(predict(network, test_rows)), dim=1).numpy())


def rows_of(census: Census, fold: str) -> Rows:
    words = torch.from_numpy(census.words[fold])
    first = torch.tensor([0, *census.vocabulary]).cumsum(0)[:-1]
    nothing = torch.zeros(len(words), 0)
    return Rows(
        words=words + first,
        numbers=torch.from_numpy(census.numbers[fold]),
        bins=nothing.long(),
        places=nothing,
        labels=torch.from_numpy(census.labels[fold]),
    )


def defaults(census: Census, seed: int) -> Contestant:
    """From frame to predictions, as the README shows it."""
    train_frame, validation, test = (
        pl.read_parquet(census.folder / f"{fold}.parquet") for fold in ("train", "validation", "test")
    )
    model = MultiTaskModel(TASKS, seed=seed)

    def train() -> int:
        return len(train_frame) * len(model.fit(train_frame, validation).history)

    def score() -> np.ndarray:
        return model.predict(test).to_numpy()

    return Contestant(train, score)
