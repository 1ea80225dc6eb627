"""Every setting with its default and reason, as `docs/settings.md`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from flows.settings import PREFIX, Settings
from flows.settings_file import toml_value

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"

_INTRODUCTION = f"""\
# Settings

Generated from the settings models by `make docs`. Defaults are overruled by `fivefold.toml` in the current folder (or
the file that `FIVEFOLD_CONFIG` names), that by `{PREFIX}*` variables, and those by flags. An unknown key is an error.

```toml
# fivefold.toml
source = "files:/data/shop"
time_zone = "Europe/Berlin"

[model]
max_epochs = 20
```

The same in the environment: `{PREFIX}SOURCE=files:/data/shop {PREFIX}MODEL__MAX_EPOCHS=20`. A list is written as
JSON: `{PREFIX}MODEL__TRUNK_WIDTHS='[256, 128]'`.
"""


def settings_page() -> str:
    """The page as Markdown, one table for each section."""
    return "\n".join([_INTRODUCTION, *_sections(Settings, "")])


def _sections(model: type[BaseModel], path: str) -> Iterator[str]:
    title = (
        f"`[{path}]`: {' '.join((model.__doc__ or '').split()).split('. ')[0].rstrip('.')}" if path else "The top level"
    )
    rows, inner = [], []
    for name, field in model.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            inner.append((field.annotation, f"{path}.{name}".lstrip(".")))
        else:
            default = field.get_default(call_default_factory=True)
            shown = "" if default in (None, PydanticUndefined) else f"`{toml_value(default)}`"
            rows.append(f"| {name} | {shown} | {field.description} |")
    if rows:
        yield "\n".join([f"## {title}\n", "| setting | default | meaning |", "|---|---|---|", *rows, ""])
    for section, section_path in inner:
        yield from _sections(section, section_path)


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
