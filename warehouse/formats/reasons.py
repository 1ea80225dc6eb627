"""Why a file cannot be read, in words that quote nothing of it."""

from __future__ import annotations

import re

import duckdb

# What the readers say that is about the file and not out of it.
_REASONS = {
    r"Expected Number of Columns: \d+ Found: \d+": None,
    r"unterminated quote": "a quote is not closed, or text follows it",
    r"Maximum line size of \d+ bytes exceeded": None,
    r"Invalid unicode": "the text is not encoded in UTF-8",
    r"state machine reached an invalid state": "quotes or line ends are not those of one CSV file throughout",
    r"(?<=Malformed JSON).*in line \d+: ([^.\n\"]+)": None,
    r"has duplicate key": "an object has a key twice",
    r"expected records": "a line is no JSON object",
    r"not valid UTF8": "a text is not encoded in UTF-8",
}
_LINE = re.compile(r"CSV Error on Line: (\d+)|in line (\d+): Object|Malformed JSON.* in line (\d+):")


def reason(error: Exception) -> str:
    """Where and why, as far as the reader's message says so without quoting the file."""
    message = str(error)
    if not isinstance(error, duckdb.Error):
        return message.splitlines()[0].rstrip(". ") if message else type(error).__name__
    why = [
        in_other_words or found[found.lastindex or 0]
        for pattern, in_other_words in _REASONS.items()
        if (found := re.search(pattern, message))
    ]
    line = _LINE.search(message)
    return ", ".join([*_line_in_words(line), *(why or [_without_quotes(message)])])


def _line_in_words(found: re.Match[str] | None) -> list[str]:
    if found is None:
        return []
    in_csv, in_object, in_json = found.groups()
    # DuckDB counts the lines of malformed JSON from 2.
    return [f"line {in_csv or in_object or int(in_json) - 1}"]


def _without_quotes(message: str) -> str:
    """The first line of a message of which nothing is known: without what it quotes, and without our own SQL."""
    first_line = message.splitlines()[0].partition("LINE 1:")[0]
    return re.sub(r"\"[^\"]*\"?|'[^']*'?", "(...)", first_line).strip(" .")[:300]
