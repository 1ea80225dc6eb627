"""Hostile feeds that are large: what becomes of them, how long it takes and how much memory it needs.

Each giant is loaded and checked in a process of its own. Then the corpus of the tests in every format, and good files
with accidents, seed by seed, until the seconds are over. Ends with 1 when anything but one clear error or rows that
add up came of a file, or when a giant needed more memory than it may.
"""

from __future__ import annotations

import argparse
import gzip
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import count, takewhile
from pathlib import Path

import pyarrow as pa
from peak_memory import peak_mib
from pyarrow import parquet

from tests.hostile import tables, texts, values
from tests.hostile.conftest import known_shop
from tests.hostile.good import as_csv, as_ndjson, good_rows
from tests.hostile.mutate import mutated
from tests.hostile.outcome import Case, Found, differences, forget, ingest_and_validate
from warehouse.sources import FeedError

MILLION = 1_000_000
# The limit on unpacking that the bombs are tried with, and the most memory that any giant may need: the database reads
# 2,048 rows at once, of texts that are 1 MB each at most in these files.
MOST_BYTES, MOST_MEMORY_MB = 2 * 10**9, 3000
ROWS = good_rows("order_lines")
HEADER, ONE_ROW = as_csv(ROWS[:1]).splitlines()


def one_long_csv(folder: Path) -> None:
    """A field of 100 MB."""
    (folder / "order_lines.csv").write_text(as_csv(ROWS).replace("p3,", "x" * 100 * MILLION + ",", 1))


def one_long_ndjson(folder: Path) -> None:
    """A text of 100 MB."""
    (folder / "order_lines.ndjson").write_text(as_ndjson(ROWS).replace('"p3"', '"' + "x" * 100 * MILLION + '"', 1))


def one_long_parquet(folder: Path) -> None:
    """A value of 100 MB, which packs to nothing."""
    values = ["x" * 100 * MILLION] + ["p1"] * (len(ROWS) - 1)
    table = pa.Table.from_pylist(ROWS).drop_columns("product_id").append_column("product_id", pa.array(values))
    parquet.write_table(table, folder / "order_lines.parquet", compression="zstd")


def gzip_bomb(folder: Path) -> None:
    """30 MB of gzip that unpack to some 10 GB."""
    rows = gzip.compress(f"{ONE_ROW}\n".encode() * MILLION)
    with (folder / "order_lines.csv.gz").open("wb") as stream:
        stream.write(gzip.compress(f"{HEADER}\n".encode()))
        for _ in range(120):
            stream.write(rows)


def parquet_of_equal_rows(folder: Path) -> None:
    """Three hundred million rows, all alike, in some kilobytes."""
    names = ("order_line_id", "order_id", "product_id", "quantity")
    group = pa.table(
        {name: pa.DictionaryArray.from_arrays(pa.array([0] * 10 * MILLION, pa.int8()), ["1"]) for name in names}
    )
    with parquet.ParquetWriter(folder / "order_lines.parquet", group.schema) as writer:
        for _ in range(30):
            writer.write_table(group, row_group_size=10 * MILLION)


def parquet_of_one_text(folder: Path) -> None:
    """A text of 1 MB that 100,000 rows name: 100 GB."""
    text = pa.DictionaryArray.from_arrays(pa.array([0] * 100_000, pa.int8()), ["x" * MILLION])
    ids = pa.array([str(number) for number in range(100_000)])
    table = pa.table({"order_line_id": ids, "order_id": ids, "product_id": text, "quantity": pa.array([1.0] * 100_000)})
    parquet.write_table(table, folder / "order_lines.parquet", compression="zstd")


def million_that_do_not_parse(folder: Path) -> None:
    """A million rows of CSV, all bad."""
    lines = (f"l{number},o1,p1,many,1.5\n" for number in range(MILLION))
    with (folder / "order_lines.csv").open("w") as stream:
        stream.write("order_line_id,order_id,product_id,quantity,sold_price\n")
        stream.writelines(lines)


def million_that_break_rules(folder: Path) -> None:
    """A million rows of Parquet that parse, and break a rule each."""
    ids = pa.array([f"l{number}" for number in range(MILLION)])
    same = pa.array(["x"] * MILLION)
    table = pa.table(
        {"order_line_id": ids, "order_id": same, "product_id": same, "quantity": pa.array([-1.0] * MILLION)}
    )
    parquet.write_table(table, folder / "order_lines.parquet")


def million_of_one_key(folder: Path) -> None:
    """A million rows with one key."""
    same = pa.array(["x"] * MILLION)
    table = pa.table(
        {"order_line_id": same, "order_id": same, "product_id": same, "quantity": pa.array([1.0] * MILLION)}
    )
    parquet.write_table(table, folder / "order_lines.parquet")


GIANTS: dict[str, tuple[Callable[[Path], None], str]] = {
    "a field of 100 MB, CSV": (one_long_csv, "line 5 has more than 2,000,000 bytes"),
    "a text of 100 MB, NDJSON": (one_long_ndjson, "line 4 has more than 2,000,000 bytes"),
    "a text of 100 MB, Parquet": (one_long_parquet, "row 1 has 100,000,000 bytes"),
    "gzip that unpacks to 9 GB": (gzip_bomb, "unpacks to more than 2 GB"),
    "Parquet of 300 million equal rows": (parquet_of_equal_rows, "unpack to more than 2 GB"),
    "Parquet of one text, 100 GB": (parquet_of_one_text, "unpack to more than 2 GB"),
    "a million rows that do not parse": (million_that_do_not_parse, "1000000 of 1000000 rows do not parse"),
    "a million rows that break a rule": (million_that_break_rules, "few_rows_set_aside"),
    "a million rows of one key": (million_of_one_key, "few_rows_set_aside"),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=120, help="when to stop making accidents")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--giant", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.giant:
        print(json.dumps(meet(asked.giant, asked.folder)))
        return
    faults: list[str] = []
    with tempfile.TemporaryDirectory(prefix="fivefold-hostile-") as folder:
        giants = [one_giant(name, Path(folder), faults) for name in GIANTS]
        in_all_formats = corpus(Path(folder), faults)
        by_chance = accidents(Path(folder), asked.seed, asked.seconds, faults)
    print(*faults, sep="\n")
    figures = {"giants": giants, "corpus": in_all_formats, "accidents": by_chance, "faults": len(faults)}
    print(json.dumps({"benchmark": "hostile", "seed": asked.seed} | figures))
    sys.exit(bool(faults))


def one_giant(name: str, folder: Path, faults: list[str]) -> dict[str, object]:
    """Make it, meet it in a process of its own, and say what came of it."""
    make, words = GIANTS[name]
    feeds = folder / "feeds"
    feeds.mkdir()
    make(feeds)
    size = sum(file.stat().st_size for file in feeds.iterdir()) / 1e6
    command = [sys.executable, __file__, "--giant", name, "--folder", str(folder)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    for used in (feeds, folder / "home"):
        shutil.rmtree(used, ignore_errors=True)
    if ended.returncode:
        faults.append(f"{name}: {ended.stderr[-300:]}")
        return {"giant": name}
    met = json.loads(ended.stdout)
    faults += [f"{name}: {met['said']}"] * (words not in met["said"])
    faults += [f"{name}: {met['memory_mb']} MB"] * (met["memory_mb"] > MOST_MEMORY_MB)
    print(
        f"{name:<34} {size:8.1f} MB  {met['seconds']:6.1f} s  {met['memory_mb']:5} MB  {met['said'][:150]}", flush=True
    )
    return {"giant": name, "file_mb": round(size, 1)} | met


def meet(name: str, folder: Path) -> dict[str, object]:
    """What is said of the giant, in how many seconds and with how much memory at most."""
    with known_shop(folder / "home") as con:
        clock = time.perf_counter()
        try:
            found = ingest_and_validate(con, folder / "feeds", most_bytes=MOST_BYTES)
            said = "; ".join(f"{rule}: {result.detail}" for rule, result in found.failed.items())
        except FeedError as error:
            said = str(error)
        seconds = time.perf_counter() - clock
    return {"seconds": round(seconds, 1), "memory_mb": round(peak_mib()), "said": said}


def corpus(folder: Path, faults: list[str]) -> int:
    """Every case of the tests, values in all three formats; returns how many."""
    cases = [*values.cases(formats=3), *texts.cases(), *tables.cases()]
    with known_shop(folder / "corpus") as con:
        for case in cases:
            case.write(folder / "feeds")
            faults += [f"{case.name}: {difference}" for difference in differences(con, folder / "feeds", case)]
            forget(con, case.feed)
    print(f"{len(cases)} cases of the corpus", flush=True)
    return len(cases)


def accidents(folder: Path, first_seed: int, seconds: float, faults: list[str]) -> dict[str, int]:
    """Files that chance has spoilt; returns how many were refused and how many loaded."""
    ends = time.monotonic() + seconds
    ended: Counter[str] = Counter()
    with known_shop(folder / "accidents") as con:
        for seed in takewhile(lambda _: time.monotonic() < ends, count(first_seed)):
            name, content = mutated(seed)
            Case("", name, content).write(folder / "feeds")
            try:
                found: Found | None = ingest_and_validate(con, folder / "feeds")
                ended["loaded" if found else ""] += 1
            except FeedError:
                ended["refused"] += 1
            except Exception as error:
                faults.append(f"seed {seed}, {name}: {type(error).__name__}: {error}")
            forget(con, "order_lines")
    print(f"accidents: {dict(ended)}", flush=True)
    return dict(ended)


if __name__ == "__main__":
    main()
