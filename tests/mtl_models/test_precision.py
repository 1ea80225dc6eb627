"""The one code path is the same on every device; where matrix products have fewer bits, heads do not."""

from __future__ import annotations

from contextlib import nullcontext

import pytest
import torch

from mtl_models import model as joint_model
from mtl_models import precision
from mtl_models.config import ModelConfig
from mtl_models.fit import Learner
from mtl_models.relative_losses import start_losses
from tasks.lesson import device_of
from tests.mtl_models.toy_shop import TASKS, Shop, new_model


def test_a_cpu_keeps_every_bit() -> None:
    assert isinstance(precision.autocast(torch.device("cpu")), nullcontext)


@pytest.mark.filterwarnings("ignore:CUDA is not available")
@pytest.mark.parametrize("has_units", [True, False])
def test_a_gpu_takes_fewer_bits_where_it_has_units_for_them(has_units: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: has_units)
    chosen = precision.autocast(torch.device("cuda"))
    assert isinstance(chosen, torch.autocast) == has_units


@pytest.mark.parametrize(("setting", "has_gpu", "chosen"), [("auto", True, "cuda"), ("auto", False, "cpu")])
def test_auto_takes_a_gpu_when_there_is_one(
    setting: str, has_gpu: bool, chosen: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: has_gpu)
    assert device_of(ModelConfig(device=setting)).type == chosen  # type: ignore[arg-type]


def test_with_fewer_bits_a_model_learns_as_much(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """bfloat16 on the processor stands for that of a GPU: weights and outputs have all bits, and losses fall alike."""
    losses = {}
    for bits in (32, 16):
        if bits == 16:
            monkeypatch.setattr(
                joint_model, "autocast", lambda device: torch.autocast(device.type, dtype=torch.bfloat16)
            )
        model = new_model(shop)
        scales = start_losses(model, shop.entities, shop.train)
        learner = Learner(model, shop.entities, scales, dict.fromkeys(TASKS, 1.0), None)
        losses[bits] = [learner.learn(shop.train)["training_loss"] for _ in range(2)]
        outputs = model(shop.entities, {"demand": shop.train["demand"]})
        assert {value.dtype for output in outputs.values() for value in output.values()} == {torch.float32}
        assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    assert losses[16] != losses[32]
    assert losses[16] == pytest.approx(losses[32], rel=0.02)
