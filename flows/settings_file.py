"""Settings as the text of a settings file, and into a file that somebody keeps by hand."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from warehouse.whole_text import write_text_whole

Tree = Mapping[str, Any]


class NotWritten(ValueError):  # noqa: N818 - named after what is the case
    """A settings file that cannot be changed without harm; the message says what to do."""


def toml_value(value: object) -> str:
    """A value as TOML (and as JSON, but for its commas)."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml_value(item) for item in value)}]"
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{name} = {toml_value(item)}' for name, item in value.items())}}}"
    return str(value) if isinstance(value, int | float) else f'"{value}"'


def toml(tree: Tree) -> str:
    """The settings as TOML, a section for each mapping in it."""
    return "\n\n".join(
        "\n".join([f"[{section}]" * bool(section), *lines]).lstrip("\n")
        for section, values in _sections(tree)
        if (lines := [f"{key} = {toml_value(value)}" for key, value in values.items()])
    )


def change_file(file: Path, changes: Tree) -> None:
    """Set these settings in the file, line by line, so that comments and everything else stay as they are; a file that
    is not there is made.

    Raises NotWritten, and leaves the file alone, where a setting is written in a way that lines do not tell (over
    several lines, or as an inline table).
    """
    text = file.read_text(encoding="utf-8") if file.exists() else ""
    lines = text.splitlines()
    for section, values in _sections(changes):
        for key, value in values.items():
            _set(lines, section, key, toml_value(value))
    changed = "\n".join(lines) + "\n"
    if _parsed(changed) != _merged(tomllib.loads(text), changes):
        raise NotWritten(
            f"{file} is written in a way that cannot be changed line by line. Remedy: copy the settings above into it."
        )
    write_text_whole(changed, file)


def _sections(tree: Tree, path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """(section, its own values), outer ones first."""
    yield path, {name: value for name, value in tree.items() if not isinstance(value, Mapping)}
    for name, value in tree.items():
        if isinstance(value, Mapping):
            yield from _sections(value, f"{path}.{name}".lstrip("."))


def _set(lines: list[str], section: str, key: str, value: str) -> None:
    """Change the line of the key, or add one at the end of its section, or the section at the end."""
    headers = [i for i, line in enumerate(lines) if re.match(r"\s*\[", line)]
    starts = [i for i in headers if re.fullmatch(rf"\s*\[\s*{re.escape(section)}\s*\]\s*(#.*)?", lines[i])]
    if section and not starts:
        lines += ["", f"[{section}]"] if lines else [f"[{section}]"]
        starts = [len(lines) - 1]
    first = starts[0] + 1 if section else 0
    end = next((i for i in headers if i >= first), len(lines))
    for i in range(first, end):
        if found := re.match(rf"(\s*{re.escape(key)}\s*=\s*)[^#]*?(\s*#.*)?$", lines[i]):
            lines[i] = f"{found[1]}{value}{found[2] or ''}"
            return
    while end > first and not lines[end - 1].strip():
        end -= 1
    lines.insert(end, f"{key} = {value}")


def _merged(tree: Tree, changes: Tree) -> dict[str, Any]:
    nested = {name: _merged(tree.get(name, {}), value) for name, value in changes.items() if isinstance(value, Mapping)}
    return {**tree, **changes, **nested}


def _parsed(text: str) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
