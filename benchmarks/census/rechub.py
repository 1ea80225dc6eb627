"""torch-rechub 0.9: its networks in its own training loop (`own`), or lent the plain resident loop (`lent`)."""

from __future__ import annotations

import contest
import numpy as np
import torch
from contest import Census, Contestant
from torch import Tensor
from torch.nn import functional
from torch_rechub.basic.features import DenseFeature, SparseFeature
from torch_rechub.models.multi_task import MMOE, PLE, SharedBottom
from torch_rechub.trainers import MTLTrainer
from torch_rechub.utils.data import DataGenerator

torch.set_num_threads(1)
TASK_TYPES = ["classification", "classification"]


def contestant(census: Census, architecture: str, loop: str, seed: int) -> Contestant:
    words = [f"word_{i}" for i in range(len(census.vocabulary))]
    numbers = [f"number_{i}" for i in range(census.numbers["train"].shape[1])]
    features = [
        *(
            SparseFeature(name, size, contest.EMBEDDING_WIDTH)
            for name, size in zip(words, census.vocabulary, strict=True)
        ),
        *(DenseFeature(name) for name in numbers),
    ]
    experts, towers = {"dims": list(contest.EXPERT_WIDTHS)}, [{"dims": [contest.TOWER_WIDTH]} for _ in TASK_TYPES]
    torch.manual_seed(seed)
    if architecture == "hard":
        model = SharedBottom(features, TASK_TYPES, experts, towers)
    elif architecture == "mmoe":
        model = MMOE(features, TASK_TYPES, contest.MMOE_EXPERTS, experts, towers)
    else:
        counts = {"n_expert_specific": contest.PLE_SPECIFIC, "n_expert_shared": contest.PLE_SHARED}
        model = PLE(features, TASK_TYPES, contest.PLE_LEVELS, **counts, expert_params=experts, tower_params_list=towers)

    def columns(words_of: Tensor, numbers_of: Tensor) -> dict[str, Tensor]:
        return dict(zip(words, words_of.unbind(1), strict=True)) | dict(zip(numbers, numbers_of.unbind(1), strict=True))

    def own_loop() -> int:
        x = dict(zip(words, census.words["train"].T, strict=True)) | dict(
            zip(numbers, census.numbers["train"].T, strict=True)
        )
        labels = census.labels["train"]
        loader, _, _ = DataGenerator(x, labels).generate_dataloader(x, labels, x, labels, batch_size=contest.BATCH_ROWS)
        adam = {"lr": contest.LEARNING_RATE, "weight_decay": 0.0}
        trainer = MTLTrainer(model, TASK_TYPES, optimizer_params=adam, n_epoch=contest.EPOCHS)
        for _ in range(contest.EPOCHS):
            trainer.train_one_epoch(loader)
        return contest.EPOCHS * len(labels)

    def lent_loop() -> int:
        words_of, numbers_of, labels = (
            torch.from_numpy(part["train"]) for part in (census.words, census.numbers, census.labels)
        )
        optimiser = torch.optim.Adam(model.parameters(), lr=contest.LEARNING_RATE)
        model.train()
        for _ in range(contest.EPOCHS):
            for batch in torch.randperm(len(labels)).split(contest.BATCH_ROWS):
                predicted = model(columns(words_of[batch], numbers_of[batch]))
                loss = functional.binary_cross_entropy(predicted, labels[batch])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        return contest.EPOCHS * len(labels)

    @torch.inference_mode()
    def predict() -> np.ndarray:
        return model.eval()(
            columns(torch.from_numpy(census.words["test"]), torch.from_numpy(census.numbers["test"]))
        ).numpy()

    return Contestant(own_loop if loop == "own" else lent_loop, predict)
