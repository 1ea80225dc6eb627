"""What is known of a CSV or NDJSON file before it is read: one pass over its bytes, in bounded memory.

DuckDB reads such files fast, but some would bring the process down (deeply nested JSON), fill the disk (a compressed
file that unpacks to terabytes) or be taken for shorter than they are (a stream that breaks off). They are refused
here, by line. The lines are counted too, so that no row can go missing between the file and the warehouse.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa

_CHUNK = 1 << 22
# A line of a feed is hundreds of bytes; DuckDB's own limit for a line of CSV.
LONGEST_LINE = 2_000_000
# DuckDB's reader runs out of stack at some thousand nested objects; a row of a feed has a handful.
_MOST_BRACKETS = 1_000


class UnsoundFile(Exception):  # noqa: N818 - the file errs, not the program
    """Why a file is not read, as the end of a sentence, and what to do about it."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem, self.remedy = problem, remedy
        super().__init__(problem)


@dataclass(frozen=True)
class TextFacts:
    """`head`: the first lines. `lines`: how many are not blank. `has_quotes`: whether a row may span lines."""

    head: bytes
    lines: int
    has_quotes: bool


def scan(path: Path, compression: str | None, *, is_json: bool, most_bytes: int) -> TextFacts:
    """Read the file once. UnsoundFile names the first line that cannot be read; OSError: the stream breaks off."""
    head, lines, blank_lines, has_quotes = b"", 0, 0, False
    for block in _whole_lines(path, compression, most_bytes):
        _refuse_nul(block, lines)
        head = head or block[: 1 << 16]
        starts, lengths = _lines_of(block)
        _refuse_long(int(lengths.max()), lines + int(lengths.argmax()) + 1)
        if is_json:
            _refuse_nested(block, starts, lines)
        blank_lines += _count_blank(block, starts, lengths)
        lines += len(starts)
        has_quotes = has_quotes or b'"' in block
    return TextFacts(head=head, lines=lines - blank_lines, has_quotes=has_quotes)


def csv_header(head: bytes) -> tuple[str, list[str]]:
    """The delimiter and the names of the columns. UnsoundFile: the header is missing, ambiguous or no UTF-8."""
    try:
        text = re.split(rb"\r\n|\n|\r", head, maxsplit=1)[0].decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UnsoundFile("its header is not encoded in UTF-8", "encode the file in UTF-8") from None
    delimiter = max(",;\t|", key=text.count)
    names = next(csv.reader([text], delimiter=delimiter), [])
    if not any(names):
        raise UnsoundFile("its first line is empty, where the header should be", "deliver the file with its header")
    if text.count('"') % 2:
        raise UnsoundFile("a quote in its header is not closed on the same line", "write the header on one line")
    for number, name in enumerate(names, start=1):
        if not name.strip():
            raise UnsoundFile(f"column {number} of {len(names)} has no name", "name it in the header, or remove it")
    (most_used, count), *_ = Counter(name.lower() for name in names).most_common(1)
    if count > 1:
        raise UnsoundFile(f"its header names column {most_used!r} {count} times", "keep one of them")
    return delimiter, names


def _whole_lines(path: Path, compression: str | None, most_bytes: int) -> Iterator[bytes]:
    """The unpacked content in blocks that end with a line feed; old Mac files end their lines with a return alone."""
    unpacked, rest, line_end = 0, b"", b""
    with pa.input_stream(str(path), compression=compression) as stream:
        while chunk := stream.read(_CHUNK):
            unpacked += len(chunk)
            if compression and unpacked > most_bytes:
                raise UnsoundFile(
                    f"it unpacks to more than {most_bytes / 1e9:g} GB",
                    "deliver it in parts, or raise validation.unpacked_gigabytes if it is meant to be so large",
                )
            line_end = line_end or (b"\n" if b"\n" in chunk else b"\r")
            if line_end == b"\r":
                chunk = chunk.replace(b"\r", b"\n")
            lines, found, tail = chunk.rpartition(b"\n")
            if found:
                yield rest + lines + found
                rest = tail
            else:
                rest += tail
            # What is one line so far: no more of it is kept than is needed to see that it is too long.
            if len(rest) > LONGEST_LINE:
                yield rest[: LONGEST_LINE + 1] + b"\n"
    if rest:
        yield rest + b"\n"


def _lines_of(block: bytes) -> tuple[np.ndarray, np.ndarray]:
    """Where each line of the block starts, and its length without the line feed."""
    ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
    starts = np.concatenate(([0], ends[:-1] + 1))
    return starts, ends - starts


def _count_blank(block: bytes, starts: np.ndarray, lengths: np.ndarray) -> int:
    """Lines of nothing but white space; of a file that indents its lines, each byte is looked at."""
    data = np.frombuffer(block, np.uint8)
    if b"\n " in block or b"\n\t" in block or block[:1] in (b" ", b"\t"):
        return int((np.add.reduceat(data > ord(" "), starts, dtype=np.int64) == 0).sum())
    return int(((lengths == 0) | ((lengths == 1) & (data[starts] == ord("\r")))).sum())


def _refuse_nul(block: bytes, lines_before: int) -> None:
    position = block.find(b"\0")
    if position >= 0:
        line = lines_before + block.count(b"\n", 0, position) + 1
        raise UnsoundFile(
            f"line {line} has a NUL byte, as in UTF-16 or where a copy broke off",
            "deliver the file again, whole and encoded in UTF-8",
        )


def _refuse_long(longest: int, line: int) -> None:
    if longest > LONGEST_LINE:
        raise UnsoundFile(
            f"line {line} has more than {LONGEST_LINE:,} bytes",
            "shorten its values; no column of a feed holds so much text",
        )


def _refuse_nested(block: bytes, starts: np.ndarray, lines_before: int) -> None:
    if block.count(b"{") + block.count(b"[") < len(starts) + _MOST_BRACKETS:
        return  # One bracket opens each line, and too few are left to nest anything deeply.
    data = np.frombuffer(block, np.uint8)
    brackets = np.add.reduceat((data == ord("{")) | (data == ord("[")), starts, dtype=np.int64)
    if brackets.max() > _MOST_BRACKETS:
        raise UnsoundFile(
            f"line {lines_before + int(brackets.argmax()) + 1} nests more than {_MOST_BRACKETS:,} objects or lists",
            "deliver flat objects, one on each line",
        )
