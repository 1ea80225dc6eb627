"""Hostile Parquet and hostile folders."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from itertools import count
from pathlib import Path

import pyarrow as pa

from tests.hostile.good import ROWS, as_csv, as_parquet, good_rows, parquet_of
from tests.hostile.outcome import Case

LINES = good_rows("order_lines")
CSV = as_csv(LINES)
GOOD = as_parquet(LINES)

REFUSED = (
    ("nothing in it", b"", ("does not begin as a Parquet file",)),
    ("another magic", b"ROW1" + GOOD[4:], ("does not begin as a Parquet file",)),
    ("another magic at its end", GOOD[:-4] + b"ROW1", ("magic bytes",)),
    ("its end cut off", GOOD[:-50], ("magic bytes",)),
    ("half of it", GOOD[: len(GOOD) // 2], ("magic bytes",)),
    ("four bytes", b"PAR1", ("4 bytes",)),
    ("a footer larger than the file", b"PAR1" + struct.pack("<i", 2**31 - 1) + b"PAR1", ("footer",)),
    ("an empty footer", b"PAR1\0\0\0\0PAR1", ("cannot be read",)),
    ("an encrypted footer", GOOD[:-4] + b"PARE", ("encrypted",)),
    ("CSV", CSV.encode(), ("does not begin as a Parquet file",)),
    ("no columns", parquet_of(pa.table({})), ("cannot be read",)),
)
# column, values of another type, words of the one error; None where it loads
OF_TYPE = (
    ("order_line_id", pa.array(range(ROWS)), None),
    ("order_line_id", pa.array([float(number) for number in range(ROWS)]), None),
    ("order_line_id", pa.array([2.0**60 + 4096 * number for number in range(ROWS)]), ("order_line_id_parses",)),
    ("order_line_id", pa.array([f"l{n}" for n in range(ROWS)]).dictionary_encode(), None),
    ("order_line_id", pa.array([f"l{n}" for n in range(ROWS)], pa.large_string()), None),
    ("order_line_id", pa.array([b"\xff" + bytes([n]) for n in range(ROWS)]), ("not encoded in UTF-8",)),
    ("quantity", pa.array(["1"] * ROWS), None),
    ("quantity", pa.array(["x"] * ROWS), ("row 1", "quantity_parses", "40 of 40")),
    ("quantity", pa.array([float("nan")] * ROWS), ("row 1", "quantity_parses", "40 of 40")),
    ("quantity", pa.array([float("nan")] * ROWS, pa.float32()), ("quantity_parses",)),
    ("quantity", pa.array([date(2026, 1, 1)] * ROWS), ("quantity_parses",)),
    ("quantity", pa.array([time(1)] * ROWS), ("quantity_parses",)),
    ("quantity", pa.array([[1.0]] * ROWS), ("quantity_parses",)),
    ("quantity", pa.array([{"a": 1}] * ROWS), ("quantity_parses",)),
    ("quantity", pa.array([2**64 - 1] * ROWS, pa.uint64()), ("quantity_parses",)),
    ("quantity", pa.array([1] * ROWS, pa.float16()), None),
    ("quantity", pa.array([b"1"] * ROWS), None),
    ("shipped_at", pa.array([1_772_323_200] * ROWS), ("shipped_at_parses",)),
    ("shipped_at", pa.array([2**45] * ROWS, pa.timestamp("s")), ("cannot be read",)),
    ("shipped_at", pa.array([2**62] * ROWS, pa.timestamp("us")), ("shipped_at_parses",)),
    ("shipped_at", pa.array([2**60] * ROWS, pa.timestamp("ns")), None),
    ("shipped_at", pa.array([2**50] * ROWS, pa.timestamp("us", "Europe/Berlin")), None),
    ("shipped_at", pa.array([date(2026, 3, 1)] * ROWS), None),
    ("shipped_at", pa.array([2**31 - 1] * ROWS, pa.date32()), ("shipped_at_parses",)),
    ("shipped_at", pa.array([True] * ROWS), ("shipped_at_parses",)),
    ("shipped_at", pa.array([[1]] * ROWS), ("shipped_at_parses",)),
    ("promised_delivery_date", pa.array([datetime(2026, 3, 1, 5)] * ROWS), ("promised_delivery_date_parses",)),
    ("promised_delivery_date", pa.array([datetime(2026, 3, 1)] * ROWS), None),
    ("promised_delivery_date", pa.array([2**31 - 1] * ROWS, pa.date32()), ("promised_delivery_date_parses",)),
    ("sold_price", pa.array([timedelta(1)] * ROWS), None),
    ("sold_price", pa.array([1e300] * ROWS), ("sold_price_parses",)),
    ("load_id", pa.array([1] * ROWS), None),
    ("_broken_rules", pa.array(["x"] * ROWS), ("the load itself uses",)),
    ("Quantity", pa.array([9] * ROWS), None),
    ("a\"b'c\n", pa.array([9] * ROWS), None),
)


def cases() -> Iterator[Case]:
    """Files first, then what lies about in a folder."""
    number = count(1)
    for what, content, words in REFUSED:
        yield Case(f"{next(number)} parquet: {what}", "order_lines.parquet", content, words=words)
    for column, values, words in OF_TYPE:
        name = f"{next(number)} parquet: {column!a} as {values.type}"
        content = as_parquet(LINES, {column: values})
        yield Case(name, "order_lines.parquet", content, words=words or (), loaded=0 if words else ROWS)
    for codec in ("gzip", "zstd", "brotli", "lz4"):
        content = as_parquet(LINES, compression=codec)
        yield Case(f"{next(number)} parquet: {codec}", "order_lines.parquet", content, loaded=ROWS)
    long = ["x" * 3_000_000] + ["p1"] * (ROWS - 1)
    content = as_parquet(LINES, {"product_id": pa.array(long)})
    words = ("row 1 has 3,000,000 bytes of text in column 'product_id'",)
    yield Case(f"{next(number)} parquet: a text of 3 MB", "order_lines.parquet", content, words=words)
    nul = as_parquet(LINES, {"product_id": pa.array(["a\0b"] + ["p1"] * (ROWS - 1))})
    aside = {"product_id_parses": 1}
    yield Case(f"{next(number)} parquet: a NUL", "order_lines.parquet", nul, loaded=ROWS - 1, aside=aside)
    none = parquet_of(pa.Table.from_pylist(LINES).slice(0, 0))
    yield Case(f"{next(number)} parquet: no rows", "order_lines.parquet", none, stopped=("enough_rows",))
    for what, prepare, words, loaded in _folders():
        yield Case(f"{next(number)} folder: {what}", "", prepare=prepare, words=words, loaded=loaded)
    for name in (
        "a*.csv",
        "a[1].csv",
        "a?.csv",
        "{a,b}.csv",
        "a'b\"c.csv",
        "a\nb.csv",
        "ä€.csv",
        "%20.csv",
    ):
        yield Case(f"{next(number)} folder: {name!a}", f"order_lines/{name}", CSV, loaded=ROWS)
    for place in ("date=__HIVE_DEFAULT_PARTITION__", "d=1/d=2", "=1", "x%2Fy=1", "sold_price2=1"):
        yield Case(f"{next(number)} folder: {place}", f"order_lines/{place}/a.csv", CSV, loaded=ROWS)


def _folders() -> Iterator[tuple]:
    inside = "order_lines"

    def file(folder: Path, name: str, content: str = CSV) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(content)

    def link(folder: Path, name: str, target: str) -> None:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(folder / target)

    yield "a link to itself", lambda f: link(f, "order_lines.csv", "order_lines.csv"), ("a link that leads nowhere",), 0
    yield "a link to nothing", lambda f: link(f, "order_lines.csv", "gone.csv"), ("a link that leads nowhere",), 0
    yield "the feed a link to nothing", lambda f: link(f, inside, "gone"), ("a link that leads nowhere",), 0
    yield "links in a circle", lambda f: (link(f, "order_lines/a", "order_lines"),), ("a link to a folder",), 0
    yield (
        "a link to a folder",
        lambda f: (file(f, "x/a.csv"), link(f, "order_lines/a", "x")),
        ("a link to a folder",),
        0,
    )
    yield "the feed a link to a folder", lambda f: (file(f, "x/a.csv"), link(f, inside, "x")), (), ROWS
    yield "a name with a backslash", lambda f: file(f, "order_lines/a\\b.csv"), ("a backslash in its name",), 0
    yield "a pipe", lambda f: os.mkfifo(f / "order_lines.csv"), ("no regular file",), 0
    yield "a device", lambda f: (f / "order_lines.csv").symlink_to("/dev/zero"), ("no regular file",), 0
    yield (
        "a folder named as a file",
        lambda f: file(f, "order_lines.csv/a.csv"),
        ("a folder with the name of a file",),
        0,
    )
    yield "a file without an ending", lambda f: file(f, inside), ("no format that is known",), 0
    yield "a part without an ending", lambda f: file(f, "order_lines/part-0"), ("no format that is known",), 0
    yield (
        "a name that is no UTF-8",
        lambda f: (
            file(f, "order_lines/x.csv"),
            (f / "order_lines/x.csv").rename(os.fsdecode(bytes(f) + b"/order_lines/\xff.csv")),
        ),
        ("a name that is not UTF-8",),
        0,
    )
    yield (
        "marks of being written",
        lambda f: (
            file(f, "order_lines/_SUCCESS", ""),
            file(f, "order_lines/.a.csv.part"),
            file(f, "order_lines/a.csv"),
        ),
        (),
        ROWS,
    )
    yield (
        "a name that others match",
        lambda f: (
            file(f, "order_lines/a*.csv"),
            file(
                f,
                "order_lines/ab.csv",
                CSV.replace("l", "m")
                .replace("order_mine", "order_line")
                .replace("quantity,somd", "quantity,sold")
                .replace("promised_demivery_date", "promised_delivery_date")
                .replace("demivered", "delivered"),
            ),
        ),
        (),
        2 * ROWS,
    )
    yield "a key in two files", lambda f: (file(f, "order_lines/a.csv"), file(f, "order_lines/b.csv")), (), ROWS
    yield (
        "a good file and a bad one",
        lambda f: (file(f, "order_lines/a.csv"), file(f, "order_lines/b.csv", "x")),
        ("'order_line_id' is missing",),
        0,
    )
