"""Pages that are generated are current; pages that people write name things that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import bench_heads
import typer
from quality import page

from flows import settings_page
from flows.cli import app
from flows.settings import setting_names
from warehouse.contracts import ALL_TABLES, dictionary

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()
OPERATIONS = (ROOT / "docs" / "operations.md").read_text()


def test_the_dictionary_is_current() -> None:
    assert dictionary.PAGE.read_text() == dictionary.dictionary(), "run `make docs`"


def test_the_settings_page_is_current() -> None:
    assert settings_page.PAGE.read_text() == settings_page.settings_page(), "run `make docs`"


def test_the_quality_page_is_that_of_the_results() -> None:
    assert page.PAGE.read_text() == page.text(bench_heads.kept(bench_heads.RESULTS)), "run `make bench-heads`"


def test_the_dictionary_names_every_table_and_column() -> None:
    written = dictionary.dictionary()
    for table in ALL_TABLES:
        assert f"### {table.schema}.{table.name}\n" in written
        section = written.split(f"### {table.schema}.{table.name}\n")[1].split("\n### ")[0]
        assert all(re.search(rf"^\| \**{column.name}\** \|", section, re.M) for column in table.columns)


def test_a_table_is_described_for_a_terminal() -> None:
    orders = next(table for table in ALL_TABLES if table.name == "orders")
    words = dictionary.describe_table(orders)
    assert "order_id" in words and "one of placed, completed, cancelled, returned" in words
    assert all(rule.meaning in words for rule in orders.all_rules)


def test_the_readme_names_commands_that_exist() -> None:
    click_app = typer.main.get_command(app)
    commands = set(click_app.commands)  # type: ignore[attr-defined]
    used = re.findall(r"^(?:\$ )?fivefold ([a-z-]+)(.*)$", README, re.M)
    assert len({command for command, _ in used}) >= 6
    for command, rest in used:
        assert command in commands
        options = {name for parameter in click_app.commands[command].params for name in parameter.opts}  # type: ignore[attr-defined]
        written = {word.split("=")[0] for word in shlex.split(rest, comments=True) if word.startswith("--")}
        assert written <= options, f"fivefold {command}{rest}"


def test_the_readme_names_targets_and_files_that_exist() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.M))
    assert set(re.findall(r"`make ([a-z-]+)`", README)) <= targets
    linked = re.findall(r"\]\(([^)#]+)\)", README)
    assert linked and all((ROOT / path).exists() for path in linked if "://" not in path)


def test_the_operations_page_names_what_exists() -> None:
    makefile = (ROOT / "Makefile").read_text()
    commands = set(typer.main.get_command(app).commands)  # type: ignore[attr-defined]
    assert set(re.findall(r"`fivefold ([a-z-]+)", OPERATIONS)) <= commands
    assert set(re.findall(r"`make ([a-z-]+)`", OPERATIONS)) <= set(re.findall(r"^([a-z-]+):", makefile, re.M))
    settings = set(setting_names())
    assert {"schedule.cron", "notify"} < settings
    assert set(re.findall(r"`(schedule\.[a-z_]+|model\.[a-z_]+|memory_limit|threads)`", OPERATIONS)) <= settings
    linked = re.findall(r"\]\(([^)#]+)\)", OPERATIONS)
    assert all((ROOT / "docs" / path).exists() for path in linked if "://" not in path)


def test_each_benchmark_has_a_target_and_a_line_on_its_page() -> None:
    page, makefile = (ROOT / "docs" / "benchmarks.md").read_text(), (ROOT / "Makefile").read_text()
    names = [file.stem.removeprefix("bench_").replace("_", "-") for file in (ROOT / "benchmarks").glob("bench_*.py")]
    assert len(names) > 8
    for name in names:
        command = f"bench-{name.removeprefix('mtl-') if 'census' in name else name}"
        quick = makefile.split("BENCHMARKS :=")[1].split("\n")[0].split()
        assert f"| `make {command}" in page
        assert name in quick or re.search(rf"^[^#\t]*\b{command}\b.*:", makefile, re.M), command
