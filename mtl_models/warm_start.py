"""Start from an earlier night's model: most of what was true last week still is."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from mtl_models.config import ModelConfig
from mtl_models.model import JointModel
from mtl_models.preprocess import Preprocessing

# Not trained by gradient, but learned.
ELASTICITIES = ("curve.own_shift", "curve.own_spread", "curve.prior_spread")
# Learned by a model that had not seen its validation window; the nights that go on from it have.
CALIBRATION = ".calibration."


def is_compatible(earlier: Preprocessing, tonight: Preprocessing) -> bool:
    """Whether both read the same columns: only then do weights mean the same."""
    return earlier.feature_names == tonight.feature_names


def with_scales_of(earlier: Preprocessing, tonight: Preprocessing) -> Preprocessing:
    """Tonight's vocabularies on the earlier scales: copied weights were learned on those."""
    entities = {
        slot: spec.model_copy(update={"numbers": earlier.entities[slot].numbers})
        for slot, spec in tonight.entities.items()
    }
    return tonight.model_copy(update={"entities": entities, "contexts": earlier.contexts})


@torch.no_grad()
def copy_weights(earlier: JointModel, tonight: JointModel) -> int:
    """Copy every parameter that both models have, the products' own elasticities, and calibrations; those with a row
    per word (an id, a category, an interest) row by row, by the word. What has an axis of tasks is copied between
    models of the same tasks only. Returns the number of tensors that were copied."""
    words_before, words_now = _words(earlier), _words(tonight)
    source = dict(_learned(earlier))
    if earlier.sharing.tasks != tonight.sharing.tasks:
        by_order = tuple(f"sharing.{name}" for name in tonight.sharing.task_axes)
        source = {name: tensor for name, tensor in source.items() if not name.startswith(by_order)}
    copied = 0
    for name, parameter in _learned(tonight):
        if name not in source:
            continue
        if name in words_now:
            _copy_rows(source[name], parameter, words_before[name], words_now[name])
        elif source[name].shape == parameter.shape:
            parameter.copy_(source[name])
        else:
            continue
        copied += 1
    return copied


def fits(earlier: ModelConfig, tonight: ModelConfig) -> bool:
    """Whether both settings build the same layers."""
    shape = ("sharing", "id_embedding_width", "slot_width", "trunk_widths")
    experts = ("experts", "shared_experts", "specific_experts", "expert_levels")
    return all(getattr(earlier, name) == getattr(tonight, name) for name in shape + experts)


def _learned(model: JointModel) -> Iterator[tuple[str, Tensor]]:
    """What training sets: parameters, own elasticities and calibrations; baselines are fitted anew each night."""
    yield from model.named_parameters()
    for name, buffer in model.named_buffers():
        if name in ELASTICITIES or CALIBRATION in name:
            yield name, buffer


def _words(model: JointModel) -> dict[str, tuple[str, ...]]:
    """{parameter: the word of each row}; row 0 of an embedding is the unknown word, here ''."""
    words, preprocessing = {}, model.preprocessing
    for slot, spec in preprocessing.entities.items():
        for bank in model.banks:
            words[f"banks.{bank}.slots.{slot}.ids.weight"] = ("", *spec.ids.words)
            for i, vocabulary in enumerate(spec.categories.values()):
                words[f"banks.{bank}.slots.{slot}.categories.{i}.weight"] = ("", *vocabulary.words)
    products = ("", *preprocessing.entities["product"].ids.words)
    words |= dict.fromkeys(("curve.own_shift", "curve.own_spread"), products)
    for kind in ("weight", "bias"):
        words[f"heads.profile.tilt.residual.{kind}"] = preprocessing.interests
    return words


def _copy_rows(source: Tensor, target: Tensor, before: tuple[str, ...], now: tuple[str, ...]) -> None:
    if source.shape[1:] != target.shape[1:]:
        return
    position = {word: i for i, word in enumerate(before)}
    pairs = [(i, position[word]) for i, word in enumerate(now) if word in position]
    here, there = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(dim=1)
    target[here] = source[there].to(target.device)
