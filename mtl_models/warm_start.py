"""Start from an earlier model, this shop's or another's: most of what was true there still is.

Weights are copied by meaning: of a feature by its column, of an id, a category or an interest by its word, all else by
name. Another shop's ids and elasticities are its own and stay there; so do its calibrations.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_models.config import ModelConfig
from mtl_models.encoders import ContextEncoder, EntityEncoder
from mtl_models.model import JointModel
from mtl_models.preprocess import Preprocessing

# Not trained by gradient, but learned.
ELASTICITIES = ("curve.own_shift", "curve.own_spread", "curve.prior_spread")
# Learned by a model that had not seen its validation window; the nights that go on from it have.
CALIBRATION = ".calibration."
# How products answer to prices, in the shop that it was learned in.
PRICE_RESPONSE = ("curve.slope.", *ELASTICITIES)
# Settings that decide which layers there are.
LAYERS = (
    "sharing",
    "id_embedding_width",
    "slot_width",
    "trunk_widths",
    "experts",
    "shared_experts",
    "specific_experts",
    "expert_levels",
)


@dataclass(frozen=True)
class Taken:
    """Names of tonight's tensors: copied `whole`, in `part` (the features or words that both know), or `left` as they
    start. `new_features` are those that the earlier model did not know, as slot.column."""

    whole: tuple[str, ...]
    part: tuple[str, ...]
    left: tuple[str, ...]
    new_features: tuple[str, ...]

    def __str__(self) -> str:
        total = len(self.whole) + len(self.part) + len(self.left)
        said = f"{len(self.whole)} of {total} tensors copied whole, {len(self.part)} in part"
        places = dict.fromkeys(".".join(name.split(".")[:2]) for name in self.left)
        said += f", {len(self.left)} not ({', '.join(places)})" if self.left else ""
        return said + (f"; features new to it: {', '.join(self.new_features)}" if self.new_features else "")


def is_compatible(earlier: Preprocessing, tonight: Preprocessing) -> bool:
    """Whether both read the same columns."""
    return earlier.feature_names == tonight.feature_names


def other_layers(earlier: ModelConfig, tonight: ModelConfig) -> list[str]:
    """Settings by which the two build other layers, each with both values; none when weights can be copied."""
    values = {name: (getattr(earlier, name), getattr(tonight, name)) for name in LAYERS}
    return [f"{name} = {before}, tonight {now}" for name, (before, now) in values.items() if before != now]


@torch.no_grad()
def copy_weights(earlier: JointModel, tonight: JointModel, *, is_same_shop: bool = True) -> Taken:
    """Copy what both models mean the same by; tonight's preprocessing is on the earlier scales (`on_scales_of`).

    A new feature starts without effect, a new word as the unknown one. What has an axis of tasks is copied between
    models of the same tasks only.
    """
    source = {name: tensor for name, tensor in _learned(earlier) if is_same_shop or _is_common(name)}
    if earlier.sharing.tasks != tonight.sharing.tasks:
        by_order = tuple(f"sharing.{name}" for name in tonight.sharing.task_axes)
        source = {name: tensor for name, tensor in source.items() if not name.startswith(by_order)}
    words_before, words_now = _words(earlier, knows_ids=is_same_shop), _words(tonight, knows_ids=True)
    columns_before, columns_now = _columns(earlier), _columns(tonight)

    whole: list[str] = []
    part: list[str] = []
    left: list[str] = []
    for name, target in _learned(tonight):
        before = source.get(name)
        if before is not None and name in columns_now:
            _copy_columns(before, target, columns_before[name], columns_now[name])
            (whole if columns_before[name] == columns_now[name] else part).append(name)
        elif before is not None and name in words_now and before.shape[1:] == target.shape[1:]:
            _copy_rows(before, target, words_before[name], words_now[name], is_embedding=name.startswith("banks."))
            (whole if words_before[name] == words_now[name] else part).append(name)
        elif before is not None and name not in words_now and before.shape == target.shape:
            target.copy_(before)
            whole.append(name)
        else:
            left.append(name)
    return Taken(tuple(whole), tuple(part), tuple(left), _new_features(earlier.preprocessing, tonight.preprocessing))


def _is_common(name: str) -> bool:
    """Whether what one shop taught says something in another."""
    return CALIBRATION not in name and not name.startswith(PRICE_RESPONSE)


def _learned(model: JointModel) -> Iterator[tuple[str, Tensor]]:
    """What training sets: parameters, own elasticities and calibrations; baselines are fitted anew each night. The
    embedding of a category is named by the category, whose number differs between shops."""
    categories = {
        f"banks.{bank}.slots.{slot}.categories.{i}.weight": f"banks.{bank}.slots.{slot}.categories.{category}"
        for bank in model.banks
        for slot, spec in model.preprocessing.entities.items()
        for i, category in enumerate(spec.categories)
    }
    for name, parameter in model.named_parameters():
        yield categories.get(name, name), parameter
    for name, buffer in model.named_buffers():
        if name in ELASTICITIES or CALIBRATION in name:
            yield name, buffer


def _words(model: JointModel, *, knows_ids: bool) -> dict[str, tuple[str, ...]]:
    """{parameter: the word of each row}; row 0 of an embedding is the unknown word, here ''."""
    words, preprocessing = {}, model.preprocessing
    for slot, spec in preprocessing.entities.items():
        for bank in model.banks:
            words[f"banks.{bank}.slots.{slot}.ids.weight"] = ("", *(spec.ids.words if knows_ids else ()))
            for category, vocabulary in spec.categories.items():
                words[f"banks.{bank}.slots.{slot}.categories.{category}"] = ("", *vocabulary.words)
    products = ("", *preprocessing.entities["product"].ids.words)
    words |= dict.fromkeys(("curve.own_shift", "curve.own_spread"), products)
    for kind in ("weight", "bias"):
        words[f"heads.profile.tilt.residual.{kind}"] = preprocessing.interests
    return words


def _columns(model: JointModel) -> dict[str, tuple[str, ...]]:
    """{parameter: what each of its columns reads}, of the layers that read features."""
    return {
        f"{name}.project.weight": module.columns
        for name, module in model.banks.named_modules(prefix="banks")
        if isinstance(module, EntityEncoder | ContextEncoder)
    }


def _copy_rows(
    source: Tensor, target: Tensor, before: tuple[str, ...], now: tuple[str, ...], *, is_embedding: bool
) -> None:
    if is_embedding:
        target.copy_(source[0].expand_as(target))
    here, there = _pairs(before, now)
    target[here] = source[there].to(target.device)


def _copy_columns(source: Tensor, target: Tensor, before: tuple[str, ...], now: tuple[str, ...]) -> None:
    target.zero_()
    here, there = _pairs(before, now)
    target[:, here] = source[:, there].to(target.device)


def _pairs(before: tuple[str, ...], now: tuple[str, ...]) -> tuple[Tensor, Tensor]:
    """Where tonight and where before the names stand that both know."""
    position = {name: i for i, name in enumerate(before)}
    pairs = [(i, position[name]) for i, name in enumerate(now) if name in position]
    here, there = torch.tensor(pairs, dtype=torch.int64).reshape(-1, 2).unbind(dim=1)
    return here, there


def _new_features(earlier: Preprocessing, tonight: Preprocessing) -> tuple[str, ...]:
    known = earlier.feature_names
    return tuple(
        f"{place.removeprefix('context:')}.{name}"
        for place, names in tonight.feature_names.items()
        for name in names
        if name not in known.get(place, ())
    )
