"""Entities and context as vectors of one width, so that every task's rows fit the same trunk."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set

import torch
from torch import Tensor, nn

from mtl_models.config import ModelConfig
from mtl_models.piecewise import PiecewiseLinear
from mtl_models.preprocess import EntitySpec, Preprocessing, Scaler
from mtl_models.samples import SLOTS, EntityTable, TaskSamples

# A category embedding wider than this only memorises.
MOST_CATEGORY_WIDTH = 8
# From so many ids on, a step trains only the rows that its batch names. Measured on one core: below, moving all rows at
# once takes less time than looking for the few (`make bench-embeddings`).
SPARSE_ROWS = 100_000


class EntityEncoder(nn.Module):
    """One kind of entity: id embedding, category embeddings and numbers through one layer.

    In training a share of the ids is replaced by "unknown", so that the features learn to stand in for an id
    (DropoutNet, Volkovs et al. 2017): a new user or product is then nothing unusual.
    """

    def __init__(self, spec: EntitySpec, config: ModelConfig) -> None:
        super().__init__()
        id_width = config.id_embedding_width if spec.ids.words else 0
        is_big = len(spec.ids) >= SPARSE_ROWS
        self.ids = nn.Embedding(len(spec.ids), id_width, sparse=is_big) if id_width else None
        widths = [min(MOST_CATEGORY_WIDTH, len(words)) for words in spec.categories.values()]
        self.categories = nn.ModuleList(
            nn.Embedding(len(words), width) for words, width in zip(spec.categories.values(), widths, strict=True)
        )
        for embedding in self.modules():
            if isinstance(embedding, nn.Embedding):
                nn.init.normal_(embedding.weight, std=0.05)
        embedded = zip(("id", *spec.categories), (id_width, *widths), strict=True)
        # What each input of `project` says; an embedding of another width is another one.
        self.columns = (
            *spec.numbers.columns,
            *(f"{name} {i} of {width}" for name, width in embedded for i in range(width)),
        )
        self.project = nn.Linear(max(len(self.columns), 1), config.slot_width)
        self.none = nn.Parameter(torch.zeros(config.slot_width))
        self.id_dropout = config.id_dropout

    def forward(self, table: EntityTable, rows: Tensor, hides_id: Tensor) -> Tensor:
        """[n, slot_width] for rows [n] of the table, -1 giving the learned 'none' vector; where `hides_id` [n], ids are
        unknown.

        Each entity is encoded once, with its id or without, however many rows name it.
        """
        seen, inverse = torch.unique(2 * rows + hides_id, return_inverse=True)
        entities, is_hidden = seen >> 1, (seen & 1).bool()
        if len(table) == 0 or int(entities[-1]) < 0:
            return self.none.expand(len(rows), -1)
        encoded = self._encode(table, entities.clamp_min(0), is_hidden)
        encoded = torch.where(entities[:, None] < 0, self.none, encoded)
        return encoded.index_select(0, inverse)

    def _encode(self, table: EntityTable, entities: Tensor, is_hidden: Tensor) -> Tensor:
        parts = [table.numbers[entities]]
        if self.ids is not None:
            if self.training and self.id_dropout:
                is_hidden = is_hidden | (torch.rand(len(entities), device=entities.device) < self.id_dropout)
            parts.append(self.ids(table.ids[entities].masked_fill(is_hidden, 0)))
        words = table.categories[entities]
        parts += [embedding(words[:, column]) for column, embedding in enumerate(self.categories)]
        features = torch.cat(parts, dim=1)  # [entities, numbers + id + categories]
        if features.shape[1] == 0:
            features = features.new_zeros(len(entities), 1)
        return nn.functional.silu(self.project(features))


class ContextEncoder(nn.Module):
    """A table's own context features, plain and by bins; its bias tells the trunk which table a row comes from."""

    def __init__(self, numbers: Scaler, config: ModelConfig) -> None:
        super().__init__()
        self.piecewise = PiecewiseLinear(numbers.bins)
        bins = (f"{numbers.names[column]} from {low} to {high}" for column, low, high in numbers.bins)
        # What each input of `project` says.
        self.columns = (*numbers.columns, *bins)
        self.project = nn.Linear(len(self.columns), config.slot_width, bias=False) if self.columns else None
        self.bias = nn.Parameter(torch.zeros(config.slot_width).normal_(std=0.05))

    def forward(self, context: Tensor) -> Tensor:
        """[n, slot_width] for context [n, c]."""
        if self.project is None:
            return nn.functional.silu(self.bias).expand(len(context), -1)
        numbers = torch.cat([context, self.piecewise(context)], dim=1)
        return nn.functional.silu(self.project(numbers) + self.bias)


class EncoderBank(nn.Module):
    """The encoders of all entities, and those of the context of some tables; rows of `blind` tables show no ids."""

    def __init__(
        self, preprocessing: Preprocessing, tables: Iterable[str], blind: Set[str], config: ModelConfig
    ) -> None:
        super().__init__()
        self.blind = blind
        self.slots = nn.ModuleDict({slot: EntityEncoder(preprocessing.entities[slot], config) for slot in SLOTS})
        self.contexts = nn.ModuleDict(
            {table: ContextEncoder(preprocessing.contexts[table], config) for table in tables}
        )

    def forward(
        self, entities: Mapping[str, EntityTable], parts: Sequence[tuple[str, TaskSamples]]
    ) -> tuple[Tensor, ...]:
        """[n, (slots + 1) * slot_width] for each part, a table and rows of it: each slot's vector, then the context's.

        An entity that several tables name is encoded once for all, and few large operations cost less than many small
        ones: a step on the tables of a demo shop takes a tenth less than with an encoding of each.
        """
        samples = [rows for _, rows in parts]
        hides_id = torch.cat([rows.groups.new_full((len(rows),), table in self.blind) for table, rows in parts])
        vectors = [
            self.slots[slot](entities[slot], torch.cat([rows.slots[slot] for rows in samples]), hides_id)
            for slot in SLOTS
        ]
        context = torch.cat([self.contexts[table](rows.context) for table, rows in parts])
        return torch.cat([*vectors, context], dim=1).split([len(rows) for rows in samples])


def big_tables(model: nn.Module) -> list[Tensor]:
    """The weights of the embeddings of which a step trains only the rows that its batch names."""
    return [module.weight for module in model.modules() if isinstance(module, nn.Embedding) and module.sparse]
