"""DeepCTR-Torch 0.3.0: its networks in its own training loop (`own`), or lent the plain resident loop (`lent`).

Embeddings start with a spread of 0.05 as ours do: with its default of 0.0001 they hardly learn in five epochs.
"""

from __future__ import annotations

import contest
import numpy as np
import torch
from contest import Census, Contestant
from deepctr_torch.inputs import DenseFeat, SparseFeat
from deepctr_torch.models import MMOE, PLE, SharedBottom
from torch.nn import functional

torch.set_num_threads(1)


def contestant(census: Census, architecture: str, loop: str, seed: int) -> Contestant:
    features = [
        *(SparseFeat(f"word_{i}", size, contest.EMBEDDING_WIDTH) for i, size in enumerate(census.vocabulary)),
        *(DenseFeat(f"number_{i}", 1) for i in range(census.numbers["train"].shape[1])),
    ]
    settings = {
        "tower_dnn_hidden_units": (contest.TOWER_WIDTH,),
        "init_std": 0.05,
        "seed": seed,
        "task_types": ["binary", "binary"],
        "task_names": ["income", "single"],
    }
    torch.manual_seed(seed)
    if architecture == "hard":
        model = SharedBottom(features, bottom_dnn_hidden_units=contest.EXPERT_WIDTHS, **settings)
    elif architecture == "mmoe":
        settings |= {"expert_dnn_hidden_units": contest.EXPERT_WIDTHS, "gate_dnn_hidden_units": ()}
        model = MMOE(features, num_experts=contest.MMOE_EXPERTS, **settings)
    else:
        settings |= {"expert_dnn_hidden_units": contest.EXPERT_WIDTHS, "gate_dnn_hidden_units": ()}
        experts = {"shared_expert_num": contest.PLE_SHARED, "specific_expert_num": contest.PLE_SPECIFIC}
        model = PLE(features, num_levels=contest.PLE_LEVELS, **experts, **settings)
    rows = {
        fold: np.concatenate([census.words[fold], census.numbers[fold]], axis=1, dtype=np.float32)
        for fold in ("train", "test")
    }

    def own_loop() -> int:
        model.compile(torch.optim.Adam(model.parameters(), lr=contest.LEARNING_RATE), ["binary_crossentropy"] * 2)
        columns = dict(zip((feature.name for feature in features), rows["train"].T, strict=True))
        labels = census.labels["train"]
        model.fit(columns, labels, batch_size=contest.BATCH_ROWS, epochs=contest.EPOCHS, verbose=0)
        return contest.EPOCHS * len(labels)

    def lent_loop() -> int:
        x, labels = torch.from_numpy(rows["train"]), torch.from_numpy(census.labels["train"])
        optimiser = torch.optim.Adam(model.parameters(), lr=contest.LEARNING_RATE)
        model.train()
        for _ in range(contest.EPOCHS):
            for batch in torch.randperm(len(x)).split(contest.BATCH_ROWS):
                loss = functional.binary_cross_entropy(model(x[batch]), labels[batch])
                loss = loss + model.get_regularization_loss().sum() / len(batch)
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        return contest.EPOCHS * len(x)

    @torch.inference_mode()
    def predict() -> np.ndarray:
        return model.eval()(torch.from_numpy(rows["test"])).numpy()

    return Contestant(own_loop if loop == "own" else lent_loop, predict)
