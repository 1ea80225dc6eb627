"""A model on disk, and a model that starts from another."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
import torch

from mtl_models import checkpoint, warm_start
from mtl_models.checkpoint import CheckpointError
from mtl_models.predict import predict, settle_elasticities
from mtl_models.preprocess import Preprocessing, Vocabulary
from tests.mtl_models.toy_shop import CONFIG, Trained, new_model, price_spells


def saved(trained: Trained, folder: Path) -> checkpoint.Checkpoint:
    days = {"as_of_date": date(2024, 3, 1), "label_end_date": date(2024, 2, 2)}
    return checkpoint.save(folder, trained.model, run_id="night-1", features_version="f1", **days)


def with_users(preprocessing: Preprocessing, words: tuple[str, ...]) -> Preprocessing:
    user = preprocessing.entities["user"].model_copy(update={"ids": Vocabulary(words=words)})
    return preprocessing.model_copy(update={"entities": preprocessing.entities | {"user": user}})


def test_a_model_comes_back_exactly(trained: Trained, tmp_path: Path) -> None:
    written = saved(trained, tmp_path)
    model, read = checkpoint.load(tmp_path)
    assert read == written and read.model_version.startswith("night-1-")
    assert {path.name for path in tmp_path.iterdir()} == {"model.safetensors", "model.json"}
    before, after = (predict(m, trained.shop.entities, trained.shop.validation) for m in (trained.model, model))
    for task, columns in before.items():
        for name, values in columns.items():
            assert torch.equal(values, after[task][name]), (task, name)


def test_equal_weights_have_equal_versions(trained: Trained, tmp_path: Path) -> None:
    assert saved(trained, tmp_path / "a").model_version == saved(trained, tmp_path / "b").model_version


@pytest.mark.parametrize("name", ["model.safetensors", "model.json"])
def test_a_damaged_model_is_refused_by_name(trained: Trained, tmp_path: Path, name: str) -> None:
    saved(trained, tmp_path)
    content = bytearray((tmp_path / name).read_bytes())
    content[len(content) // 2] ^= 255
    (tmp_path / name).write_bytes(bytes(content))
    with pytest.raises(CheckpointError, match=re.escape(name)):
        checkpoint.load(tmp_path)


def test_another_model_in_its_place_is_refused(trained: Trained, tmp_path: Path) -> None:
    """Whole and sound in itself, but not the one that was noted."""
    saved(trained, tmp_path)
    noted = checkpoint.hash_of(tmp_path)
    assert checkpoint.load(tmp_path, noted)[1].content_hash == checkpoint.load(tmp_path)[1].content_hash
    description = json.loads((tmp_path / "model.json").read_text())
    (tmp_path / "model.json").write_text(json.dumps(description | {"source": "elsewhere"}))
    checkpoint.load(tmp_path)
    with pytest.raises(CheckpointError, match=r"model\.json is not what its night wrote.*Remedy"):
        checkpoint.load(tmp_path, noted)


def test_a_model_forgets_a_user_and_nobody_else(trained: Trained, tmp_path: Path) -> None:
    before = saved(trained, tmp_path)
    words = before.preprocessing.entities["user"].ids.words
    gone = {words[0], words[7], words[-1]}
    after = checkpoint.forget(tmp_path, "user", lambda word: word in gone)
    model, read = checkpoint.load(tmp_path, checkpoint.hash_of(tmp_path))
    assert read == after and after is not None and after.model_version != before.model_version
    left = after.preprocessing.entities["user"].ids.words
    assert [word for word in words if word not in left] == sorted(gone) and len(left) == len(words)
    old, new = (m.banks["shared"].slots["user"].ids.weight for m in (trained.model, model))
    for index, word in enumerate(words, start=1):
        assert torch.equal(new[index], torch.zeros_like(new[index]) if word in gone else old[index])
    assert checkpoint.forget(tmp_path, "user", lambda word: word in gone) is None
    names = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    assert set(names) == {"model.safetensors", "model.json"}
    assert not [word for word in gone if f'"{word}"'.encode() in names["model.json"]]


def test_a_missing_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"model\.json"):
        checkpoint.load(tmp_path)


def test_a_model_of_another_version_is_refused_in_one_line(trained: Trained, tmp_path: Path) -> None:
    saved(trained, tmp_path)
    description = json.loads((tmp_path / "model.json").read_text())
    del description["preprocessing"]["entities"]["user"]["numbers"]["lowest"]
    (tmp_path / "model.json").write_text(json.dumps(description))
    with pytest.raises(CheckpointError, match=r"^[^\n]*not written by this version[^\n]*train that night again$"):
        checkpoint.load(tmp_path)


def test_a_warm_start_copies_rows_by_word(trained: Trained) -> None:
    words = ("newcomer", *reversed(trained.shop.preprocessing.entities["user"].ids.words[:40]))
    tonight = new_model(trained.shop)
    model = type(tonight)(with_users(trained.shop.preprocessing, words), CONFIG, tonight.tasks)
    warm_start.copy_weights(trained.model, model)
    old, new = trained.model.banks["shared"].slots["user"].ids.weight, model.banks["shared"].slots["user"].ids.weight
    assert torch.equal(new[0], old[0]), "the unknown user is the same"
    assert torch.equal(new[1], old[0]), "a newcomer starts as the unknown user"
    assert torch.equal(new[2:], old[1:41].flip(0))
    assert torch.equal(model.sharing.trunk[0].weight, trained.model.sharing.trunk[0].weight)


def test_a_warm_model_predicts_as_the_one_it_came_from(trained: Trained) -> None:
    model = new_model(trained.shop)
    warm_start.copy_weights(trained.model, model)
    rows = {"profile": trained.shop.validation["profile"]}
    before, after = (predict(m, trained.shop.entities, rows)["profile"] for m in (trained.model, model))
    torch.testing.assert_close(before["order_probability_28d"], after["order_probability_28d"])


def test_a_warm_start_keeps_what_a_product_taught(trained: Trained) -> None:
    """Where no price tells anything tonight, yesterday's elasticities stay."""
    model = new_model(trained.shop)
    warm_start.copy_weights(trained.model, model)
    spells = price_spells(trained.shop)
    unmoved = replace(spells, log_price=torch.zeros(len(spells)))
    settle_elasticities(model, trained.shop.entities, trained.shop.train["demand"], unmoved)
    torch.testing.assert_close(model.curve.own_shift, trained.model.curve.own_shift)
    torch.testing.assert_close(model.curve.own_spread, trained.model.curve.own_spread)


def test_other_features_and_other_layers_are_noticed(trained: Trained) -> None:
    now = trained.shop.preprocessing
    user = now.entities["user"]
    other = user.model_copy(update={"numbers": user.numbers.model_copy(update={"names": ("a", "b", "c", "d")})})
    changed = now.model_copy(update={"entities": now.entities | {"user": other}})
    assert warm_start.is_compatible(now, with_users(now, ("u1",)))
    assert not warm_start.is_compatible(now, changed)
    assert warm_start.other_layers(CONFIG, CONFIG) == []
    assert warm_start.other_layers(CONFIG, CONFIG.model_copy(update={"slot_width": 8})) == [
        "slot_width = 16, tonight 8"
    ]
