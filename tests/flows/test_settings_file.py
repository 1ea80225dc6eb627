"""Settings as text, and into a file that somebody keeps by hand."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from flows.settings import load_settings
from flows.settings_file import NotWritten, change_file, toml
from mtl_models.config import ModelConfig, TaskWeights
from tasks.search_space import config_of, parameters_of, tuned_settings

TREE = {"model": {"sharing": "ple", "trunk_widths": [96, 64], "task_weights": {"supply": 0.5}}}


def test_sections_follow_their_own_values() -> None:
    text = '[model]\nsharing = "ple"\ntrunk_widths = [96, 64]\n\n[model.task_weights]\nsupply = 0.5'
    assert toml(TREE) == text
    assert tomllib.loads(toml({"threads": 2, "warm": True, **TREE})) == {"threads": 2, "warm": True, **TREE}


def test_the_best_settings_load_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = ModelConfig(
        sharing="mmoe", balancing="upgrad", trunk_widths=(96, 64), learning_rate=1e-5, dropout=0.123,
        task_weights=TaskWeights(profile=3.5),
    )  # fmt: skip
    settings = {"model": tuned_settings(parameters_of(found))}
    (tmp_path / "fivefold.toml").write_text(toml(settings))
    assert load_settings().model == found == config_of(parameters_of(found), ModelConfig())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", '[model]\nsharing = "ple"\n\n[model.task_weights]\nsupply = 0.5\n'),
        (
            '# ours\nthreads = 2\n[model]\nsharing = "hard"  # why\nseed = 3\n\n[publish]\nkeep_releases = 3\n',
            '# ours\nthreads = 2\n[model]\nsharing = "ple"  # why\nseed = 3\n\n[publish]\nkeep_releases = 3\n'
            "\n[model.task_weights]\nsupply = 0.5\n",
        ),
        (
            "[model.task_weights]\nsupply = 1.0\nprofile = 2.0\n",
            '[model.task_weights]\nsupply = 0.5\nprofile = 2.0\n\n[model]\nsharing = "ple"\n',
        ),
    ],
)
def test_a_file_keeps_all_else_that_it_says(tmp_path: Path, before: str, after: str) -> None:
    file = tmp_path / "fivefold.toml"
    if before:
        file.write_text(before)
    change_file(file, {"model": {"sharing": "ple", "task_weights": {"supply": 0.5}}})
    assert file.read_text() == after
    change_file(file, {"model": {"sharing": "ple", "task_weights": {"supply": 0.5}}})
    assert file.read_text() == after and list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize(
    "text", ['model = { sharing = "hard" }\n', 'model.sharing = "hard"\n', "[model]\ntrunk_widths = [\n  128,\n]\n"]
)
def test_a_file_that_lines_do_not_tell_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "fivefold.toml"
    file.write_text(text)
    with pytest.raises(NotWritten, match=r"fivefold\.toml.*Remedy"):
        change_file(file, TREE)
    assert file.read_text() == text
