"""The scripts that draw charts, as one text that a page can hold."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

import altair as alt
import vl_convert

from warehouse.whole_text import write_text_whole

# What the page's own script needs of it.
_SHARED = "window.vegaEmbed = vegaEmbed;"


def vega_script(folder: Path) -> str:
    """Vega, Vega-Lite and Vega-Embed as one script.

    Bundling them takes some seconds and gives the same text each time, so it is kept in the folder, by its versions.
    """
    language = alt.SCHEMA_VERSION.removeprefix("v").rpartition(".")[0]
    kept = folder / f".vega-{language}-{version('vl-convert-python')}.js"
    if not kept.exists():
        write_text_whole(vl_convert.javascript_bundle(_SHARED, vl_version=language), kept)
    return kept.read_text(encoding="utf-8")
