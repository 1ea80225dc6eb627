"""Data Docs that open without a network: Great Expectations' pages in a frame, and with a stylesheet, of our own.

Its site builder loads styles and scripts from eight hosts and shows nothing without them. Its renderer makes the
same page of each validation; the first page is a plain table.
"""

from __future__ import annotations

import re
import shutil
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from great_expectations.render.renderer import ValidationResultsPageRenderer
from great_expectations.render.view import DefaultJinjaPageView

_ASSETS = Path(__file__).parent / "assets"
# Words as elsewhere in a night's reports; a feed's word is that of its worst failure.
_VERDICTS = {"critical": "FAIL", "warning": "WARN", "info": "INFO"}
_INDEX_HEAD = (
    "<main><table><thead><tr><th>Status</th><th>Feed</th><th class='number'>Checks</th>"
    "<th class='number'>Failed</th></tr></thead><tbody>"
)


def write_data_docs(folder: Path, run_id: str, validations: dict[str, Any]) -> Path:
    """Write one page for each feed's validation result and a first page, instead of those in the folder.

    Returns the path of the first page.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for old_page in folder.glob("*.html"):
        old_page.unlink()
    shutil.copyfile(_ASSETS / "data_docs.css", folder / "data_docs.css")  # not its mode: the umask rules
    frame = Template((_ASSETS / "page.html").read_text(encoding="utf-8"))
    subtitle = f"night {escape(run_id)}"
    view = DefaultJinjaPageView()  # one for all pages: it keeps the templates that it has compiled
    for name, validation in validations.items():
        body = _body(view, validation)
        page = frame.substitute(title=escape(name), subtitle=f"{subtitle}, {escape(name)}", body=body)
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
    rows = "".join(_index_row(name, validation) for name, validation in validations.items())
    index = folder / "index.html"
    body = f"{_INDEX_HEAD}{rows}</tbody></table></main>"
    index.write_text(frame.substitute(title="Data Docs", subtitle=subtitle, body=body), encoding="utf-8")
    return index


def _body(view: DefaultJinjaPageView, validation: Any) -> str:
    """The part of the rendered page between its navigation bar and its footer, without scripts, and without links
    to pages of suites: each is one with the page of its validation here."""
    page = view.render(ValidationResultsPageRenderer(run_info_at_end=True).render(validation))
    body = page[page.index('<div class="container-fluid') : page.index("<footer>")]
    body = re.sub(r"<script.*?</script>", "", body, flags=re.DOTALL)
    body = body.replace("NaN% not null", "no new rows")  # what the renderer makes of a share of nothing
    return re.sub(r'<a href="[^"]*/expectations/[^"]*"[^>]*>(.*?)</a>', r"\1", body)


def _index_row(name: str, validation: Any) -> str:
    failures = {result.expectation_config.severity for result in validation.results if not result.success}
    verdict = next((word for severity, word in _VERDICTS.items() if severity in failures), "PASS")
    counts = validation.statistics
    return (
        f"<tr><td class='{verdict}'>{verdict}</td><td><a href='{escape(name)}.html'>{escape(name)}</a></td>"
        f"<td class='number'>{counts['evaluated_expectations']}</td>"
        f"<td class='number'>{counts['unsuccessful_expectations']}</td></tr>"
    )
