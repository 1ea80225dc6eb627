"""The same architectures, written down plainly: no library around them, rows resident, batches by index."""

from __future__ import annotations

import contest
import numpy as np
import torch
from contest import Census, Contestant
from torch import Tensor, nn
from torch.nn import functional

torch.set_num_threads(1)


def layer(before: int, after: int) -> nn.Sequential:
    return nn.Sequential(nn.Linear(before, after), nn.ReLU())


def expert(before: int) -> nn.Sequential:
    middle, after = contest.EXPERT_WIDTHS
    return nn.Sequential(layer(before, middle), layer(middle, after))


class Network(nn.Module):
    """Embeddings, one of three ways of sharing, a tower for each task."""

    def __init__(self, census: Census, architecture: str) -> None:
        super().__init__()
        self.architecture = architecture
        sizes = torch.tensor([0, *census.vocabulary])
        self.register_buffer("first", sizes.cumsum(0)[:-1])
        self.embedding = nn.Embedding(int(sizes.sum()), contest.EMBEDDING_WIDTH)
        nn.init.normal_(self.embedding.weight, std=0.05)
        width = len(census.vocabulary) * contest.EMBEDDING_WIDTH + census.numbers["train"].shape[1]
        self.shared = {"hard": expert, "mmoe": Mmoe, "ple": Ple}[architecture](width)
        towers = [nn.Sequential(nn.Linear(contest.EXPERT_WIDTHS[-1], contest.TOWER_WIDTH), nn.SiLU()) for _ in range(2)]
        self.towers = nn.ModuleList(towers)
        self.last = nn.ModuleList(nn.Linear(contest.TOWER_WIDTH, 1) for _ in range(2))

    def forward(self, words: Tensor, numbers: Tensor) -> Tensor:
        x = torch.cat([self.embedding(words + self.first).flatten(1), numbers], dim=1)
        features = self.shared(x)
        by_task = [features, features] if self.architecture == "hard" else features
        return torch.cat([self.last[t](self.towers[t](by_task[t])) for t in range(2)], dim=1)


def mixed(gate: nn.Linear, x: Tensor, experts: list[Tensor]) -> Tensor:
    return torch.einsum("ne,new->nw", gate(x).softmax(dim=1), torch.stack(experts, dim=1))


class Mmoe(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        self.experts = nn.ModuleList(expert(width) for _ in range(contest.MMOE_EXPERTS))
        self.gates = nn.ModuleList(nn.Linear(width, contest.MMOE_EXPERTS) for _ in range(2))

    def forward(self, x: Tensor) -> list[Tensor]:
        experts = [expert(x) for expert in self.experts]
        return [mixed(gate, x, experts) for gate in self.gates]


class Ple(nn.Module):
    def __init__(self, width: int) -> None:
        super().__init__()
        widths = [width, *[contest.EXPERT_WIDTHS[-1]] * (contest.PLE_LEVELS - 1)]
        self.levels = nn.ModuleList(Level(w, is_last=i == len(widths) - 1) for i, w in enumerate(widths))

    def forward(self, x: Tensor) -> list[Tensor]:
        inputs = [x, x, x]
        for level in self.levels:
            inputs = level(inputs)
        return inputs


class Level(nn.Module):
    """Experts of the first task, of the second, and of both; inputs are in this order too."""

    def __init__(self, width: int, *, is_last: bool) -> None:
        super().__init__()
        counts = (contest.PLE_SPECIFIC, contest.PLE_SPECIFIC, contest.PLE_SHARED)
        self.experts = nn.ModuleList(nn.ModuleList(expert(width) for _ in range(count)) for count in counts)
        self.gates = nn.ModuleList(nn.Linear(width, counts[task] + counts[2]) for task in range(2))
        self.shared_gate = None if is_last else nn.Linear(width, sum(counts))

    def forward(self, inputs: list[Tensor]) -> list[Tensor]:
        first, second, shared = (
            [expert(x) for expert in experts] for experts, x in zip(self.experts, inputs, strict=True)
        )
        outputs = [mixed(self.gates[0], inputs[0], first + shared), mixed(self.gates[1], inputs[1], second + shared)]
        if self.shared_gate is not None:
            outputs.append(mixed(self.shared_gate, inputs[2], first + second + shared))
        return outputs


def contestant(census: Census, architecture: str, precision: str, seed: int) -> Contestant:
    torch.manual_seed(seed)
    network = Network(census, architecture)
    is_half = precision == "auto" and torch.cpu.get_capabilities().get("amx_bf16", False)

    def train() -> int:
        words, numbers, labels = (
            torch.from_numpy(part["train"]) for part in (census.words, census.numbers, census.labels)
        )
        optimiser = torch.optim.Adam(network.parameters(), lr=contest.LEARNING_RATE, fused=True)
        for _ in range(contest.EPOCHS):
            for batch in torch.randperm(len(words)).split(contest.BATCH_ROWS):
                with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
                    logits = network(words[batch], numbers[batch])
                loss = functional.binary_cross_entropy_with_logits(logits.float(), labels[batch])
                optimiser.zero_grad(set_to_none=True)
                loss.backward()
                optimiser.step()
        return contest.EPOCHS * len(words)

    @torch.inference_mode()
    def predict() -> np.ndarray:
        with torch.autocast("cpu", torch.bfloat16, enabled=is_half):
            logits = network(torch.from_numpy(census.words["test"]), torch.from_numpy(census.numbers["test"]))
        return logits.float().numpy()

    return Contestant(train, predict)
