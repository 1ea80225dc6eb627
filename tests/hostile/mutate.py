"""Good files with a little wrong with them, by chance: each seed is one file."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable

from tests.hostile.good import as_csv, as_ndjson, as_parquet, good_rows

LINES = good_rows("order_lines")
_CSV, _NDJSON, _PARQUET = as_csv(LINES).encode(), as_ndjson(LINES).encode(), as_parquet(LINES)
GOOD = {
    "order_lines.csv": _CSV,
    "order_lines.ndjson": _NDJSON,
    "order_lines.parquet": _PARQUET,
    "order_lines.csv.gz": gzip.compress(_CSV, mtime=0),
}
_MARKS = (
    b"\0",
    b"\n",
    b"\r",
    b'"',
    b",",
    b"{",
    b"[",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\\",
    b"-",
    b"9" * 30,
    b"\xe2\x80\xae",
)


def mutated(seed: int) -> tuple[str, bytes]:
    """The name and the content of one file: a good one after one to three accidents."""
    luck = random.Random(seed)
    name = luck.choice(sorted(GOOD))
    content = GOOD[name]
    for _ in range(luck.randint(1, 3)):
        content = luck.choice(_ACCIDENTS)(luck, content)
    return name, content


def _flip(luck: random.Random, content: bytes) -> bytes:
    place = luck.randrange(len(content) + 1)
    return (
        content[:place]
        + bytes(byte ^ (1 << luck.randrange(8)) for byte in content[place : place + 1])
        + content[place + 1 :]
    )


def _cut(luck: random.Random, content: bytes) -> bytes:
    return content[: luck.randrange(len(content) + 1)]


def _lose(luck: random.Random, content: bytes) -> bytes:
    place = luck.randrange(len(content) + 1)
    return content[:place] + content[place + luck.randrange(200) :]


def _repeat(luck: random.Random, content: bytes) -> bytes:
    place = luck.randrange(len(content) + 1)
    return content[:place] + content[max(0, place - luck.randrange(400)) :]


def _insert(luck: random.Random, content: bytes) -> bytes:
    place = luck.randrange(len(content) + 1)
    return content[:place] + luck.choice(_MARKS) * luck.randint(1, 3) + content[place:]


def _swap_columns(luck: random.Random, content: bytes) -> bytes:
    names = list(LINES[0])
    one, another = luck.sample(names, 2)
    swapped = [{**row, one: row[another], another: row[one]} for row in LINES]
    for form, good in ((as_csv, _CSV), (as_ndjson, _NDJSON), (as_parquet, _PARQUET)):
        if content == good:
            spoilt = form(swapped)
            return spoilt.encode() if isinstance(spoilt, str) else spoilt
    return _flip(luck, content)


_ACCIDENTS: tuple[Callable[[random.Random, bytes], bytes], ...] = (_flip, _cut, _lose, _repeat, _insert, _swap_columns)
