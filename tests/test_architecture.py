"""The house keeps its shape: who may import whom, and how long a module may get."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("flows", "tasks", "mtl_models", "warehouse")
MODULES = sorted(file.relative_to(ROOT) for package in PACKAGES for file in (ROOT / package).rglob("*.py"))

MAY_IMPORT = {
    "flows": {"flows", "tasks", "mtl_models", "warehouse"},
    "tasks": {"tasks", "mtl_models", "warehouse"},
    "mtl_models": {"mtl_models"},
    "warehouse": {"warehouse"},
}
# Library -> the only places that may import it.
ONLY_IN = {
    "prefect": ("flows/",),
    "typer": ("flows/",),
    "great_expectations": ("warehouse/validation/",),
    "adbc_driver_postgresql": ("warehouse/postgres/session.py",),
    "obstore": ("warehouse/object_storage/store.py",),
    "ray": ("tasks/engine/",),
    "torch": ("tasks/", "mtl_models/", "flows/doctor.py"),
    "pickle": (),
}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse((ROOT / file).read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file} imports relatively"
            yield node.module or ""


def calls(file: Path, attribute: str, of: str) -> bool:
    """Whether the module mentions `of.attribute`."""
    return any(
        isinstance(node, ast.Attribute)
        and node.attr == attribute
        and isinstance(node.value, ast.Name)
        and node.value.id == of
        for node in ast.walk(ast.parse((ROOT / file).read_text()))
    )


def test_there_is_something_to_look_at() -> None:
    assert len(MODULES) > 60
    assert {"prefect", "great_expectations", "torch"} <= {
        name.split(".")[0] for file in MODULES for name in imports(file)
    }


@pytest.mark.parametrize("file", MODULES, ids=str)
def test_imports_go_down_only(file: Path) -> None:
    ours = {name.split(".")[0] for name in imports(file)} & set(PACKAGES)
    assert ours <= MAY_IMPORT[file.parts[0]]


@pytest.mark.parametrize("library", ONLY_IN)
def test_a_library_has_its_place(library: str) -> None:
    users = [str(file) for file in MODULES if library in {name.split(".")[0] for name in imports(file)}]
    assert [user for user in users if not user.startswith(ONLY_IN[library])] == []


def test_models_know_no_database_and_checkpoints_alone_know_files() -> None:
    for file in MODULES:
        if file.parts[0] == "mtl_models":
            names = {name.split(".")[0] for name in imports(file)}
            assert "duckdb" not in names, file
            assert "pathlib" not in names or file.name in ("checkpoint.py", "milestones.py"), file


def test_one_module_opens_the_database() -> None:
    assert [str(file) for file in MODULES if calls(file, "connect", "duckdb")] == ["warehouse/connect.py"]


def test_the_environment_is_read_where_settings_are() -> None:
    readers = [str(file) for file in MODULES if calls(file, "environ", "os") or calls(file, "getenv", "os")]
    assert readers == ["flows/environment.py", "flows/settings.py"]


def test_only_the_simulation_knows_the_demo_shop_and_its_truth() -> None:
    others = [file for file in MODULES if "demo_shop" not in file.parts and "simulat" not in file.name]
    assert len(others) > len(MODULES) / 2
    for file in others:
        assert not [name for name in imports(file) if name.startswith("warehouse.sources.demo_shop")], file
        texts = [
            node.value
            for node in ast.walk(ast.parse((ROOT / file).read_text()))
            if isinstance(node, ast.Constant) and isinstance(node.value, str)
        ]
        assert not [text for text in texts if re.search(r"\btruth(/|$)", text)], file


def test_modules_are_short() -> None:
    lengths = {str(file): len((ROOT / file).read_text().splitlines()) for file in MODULES}
    assert {file: length for file, length in lengths.items() if length > 300} == {}
    assert sorted(lengths.values())[len(lengths) // 2] < 120


def test_nothing_is_left_to_be_done() -> None:
    marks = ("TO" + "DO", "FIX" + "ME", "X" + "XX")
    files = [file for package in (*PACKAGES, "tests", "docs") for file in (ROOT / package).rglob("*") if file.is_file()]
    texts = {file: file.read_text() for file in files if file.suffix in (".py", ".sql", ".md")}
    assert [str(file) for file, text in texts.items() if any(mark in text for mark in marks)] == []
