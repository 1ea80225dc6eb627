"""Fill the answers of a page anew from the last night: each `sql` block is asked, the `text` block after it replaced.

python docs/refresh_readme.py [PAGE ...]    # the README, unless pages are named
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from typer.testing import CliRunner

from flows.cli import app

README = Path(__file__).parent.parent / "README.md"
QUESTION = re.compile(r"```sql\n(?P<query>.*?)```\n```text\n.*?```", re.DOTALL)


def refreshed(text: str) -> str:
    """The text with the answers of the current home."""
    return QUESTION.sub(lambda found: f"```sql\n{found['query']}```\n```text\n{ask(found['query'])}```", text)


def ask(query: str) -> str:
    """What `fivefold sql` prints for the query."""
    answer = CliRunner().invoke(app, ["sql", query])
    if answer.exit_code:
        raise RuntimeError(f"{answer.stderr}\nin the query:\n{query}")
    return answer.stdout


if __name__ == "__main__":
    for page in [Path(name) for name in sys.argv[1:]] or [README]:
        page.write_text(refreshed(page.read_text(encoding="utf-8")), encoding="utf-8")
