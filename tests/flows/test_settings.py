from pathlib import Path

import pytest

from flows.settings import Settings, SettingsError, load_settings, setting_names


@pytest.fixture(autouse=True)
def in_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, text: str) -> None:
    (folder / "fivefold.toml").write_text(text)


def test_each_source_overrules_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert load_settings().source == "demo_shop:small"
    write(tmp_path, 'source = "files:/from-toml"\n[model]\nmax_epochs = 3\nseed = 3\n')
    assert load_settings().source == "files:/from-toml"
    monkeypatch.setenv("FIVEFOLD_SOURCE", "files:/from-env")
    monkeypatch.setenv("FIVEFOLD_MODEL__MAX_EPOCHS", "4")
    assert load_settings().source == "files:/from-env"
    assert load_settings(source="files:/from-flag", home=None).source == "files:/from-flag"
    # Sections are merged key by key: the file's seed stays beside the environment's epochs.
    assert (load_settings().model.max_epochs, load_settings().model.seed) == (4, 3)


def test_experiments_are_a_list_of_sections(tmp_path: Path) -> None:
    write(
        tmp_path,
        """
        [experiments]
        holdout_ratio = 0.05
        [[experiments.tests]]
        name = "curious"
        starts_on = 2026-03-01
        [[experiments.tests.variants]]
        name = "control"
        share = 0.5
        [[experiments.tests.variants]]
        name = "explore"
        share = 0.5
        exploration_ratio = 0.1
        """,
    )
    experiments = load_settings().experiments
    assert experiments.holdout_ratio == 0.05
    (test,) = experiments.tests
    assert [(arm.name, arm.share, arm.exploration_ratio) for arm in test.variants] == [
        ("control", 0.5, None),
        ("explore", 0.5, 0.1),
    ]


def test_fivefold_config_names_another_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "other.toml").write_text("threads = 3\n")
    monkeypatch.setenv("FIVEFOLD_CONFIG", "other.toml")
    assert load_settings().threads == 3
    monkeypatch.setenv("FIVEFOLD_CONFIG", "gone.toml")
    with pytest.raises(SettingsError, match=r"gone\.toml.*Remedy"):
        load_settings()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sorce = 'x'", ["fivefold.toml", "'sorce'", "'source'"]),
        ("[model]\nsharng = 'hard'", ["fivefold.toml", "'model.sharng'", "'model.sharing'"]),
        ("[decisions.pricing]\ngrid_step = 3", ["'decisions.pricing.grid_step'", "'decisions.pricing.grid_steps'"]),
        ("source = ", ["fivefold.toml", "not valid TOML"]),
        ("memory_limit = 'lots'", ["'memory_limit'", "'lots' is no size", "3GB"]),
        ("memory_limit = '0GB'", ["'0GB' is no size"]),
        (
            "[[experiments.tests]]\nname = 'a'\nstarts_on = 2026-03-01\n"
            "variants = [{name = 'b', share = 0.6}, {name = 'c', share = 0.6}]",
            ["settings of 'experiments.tests.0'", "shares of experiment 'a' add up to more than 1"],
        ),
        ("[model]\nsharing = 'single'\nbalancing = 'upgrad'", ["settings of 'model': balancing = \"upgrad\" compares"]),
    ],
)
def test_a_wrong_key_in_the_file_is_named_with_its_nearest(tmp_path: Path, text: str, words: list[str]) -> None:
    write(tmp_path, text)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert all(word in str(error.value) for word in [*words, "Remedy"])


@pytest.mark.parametrize(
    ("variable", "value", "words"),
    [
        ("FIVEFOLD_MODL", "1", ["the environment", "'FIVEFOLD_MODL'", "'FIVEFOLD_MODEL'"]),
        ("FIVEFOLD_MODEL__SHARNG", "1", ["'FIVEFOLD_MODEL__SHARNG'", "'FIVEFOLD_MODEL__SHARING'"]),
        ("FIVEFOLD_MODEL__BATCH_ROWS", "3", ["'model.batch_rows'", "'3'", "greater than or equal to 64"]),
        ("FIVEFOLD_MODEL__SHARING", "softly", ["'model.sharing'", "'softly'", "'hard'"]),
        ("FIVEFOLD_MODEL", "{", ["model", "JSON"]),
    ],
)
def test_a_wrong_variable_is_named(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, words: list[str]
) -> None:
    monkeypatch.setenv(variable, value)
    with pytest.raises(SettingsError) as error:
        load_settings()
    assert all(word in str(error.value) for word in [*words, "Remedy"])


def test_a_wrong_key_in_a_flag_is_refused() -> None:
    with pytest.raises(SettingsError, match=r"'modle'.*'model'"):
        load_settings(modle={"seed": 1})


def test_lists_are_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FIVEFOLD_MODEL__TRUNK_WIDTHS", "[64, 32]")
    assert load_settings().model.trunk_widths == (64, 32)


def test_every_setting_says_what_it_is_for() -> None:
    assert "model.task_weights.supply" in set(setting_names())

    def bare(schema: dict, path: str = "") -> list[str]:
        return [f"{path}{name}" for name, field in schema["properties"].items() if not field.get("description")]

    schema = Settings.model_json_schema()
    assert [bare(schema), *(bare(part, f"{name}.") for name, part in schema["$defs"].items())] == [
        [] for _ in range(1 + len(schema["$defs"]))
    ]
