"""Hostile CSV and NDJSON: what is done to a good file, and what must follow."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Iterator
from itertools import count

from tests.hostile.good import ROWS, as_csv, as_ndjson, good_rows
from tests.hostile.outcome import Case

LINES = good_rows("order_lines")
CSV = as_csv(LINES)
HEADER = CSV.partition("\n")[0]
NDJSON = as_ndjson(LINES)
ONE = json.dumps({"order_line_id": "x", "order_id": "o1", "product_id": "p1", "quantity": 1})


def more(end: str) -> str:
    """The good file and one object more, which ends so."""
    return f"{NDJSON}{ONE[:-1]}, {end}}}\n"


NOTHING_PRESENT = "order_id_present,order_line_id_present,product_id_present,quantity_present"
NOTHING_PARSES = ",".join(f"{name}_parses" for name in list(LINES[0])[3:])

# what is done, the content, words of the one error
REFUSED_CSV = (
    ("nothing in it", "", ("its first line is empty", "header")),
    ("one line end", "\n", ("its first line is empty",)),
    ("blanks only", "   ", ("has no name",)),
    ("the header on the third line", "\n\n" + CSV, ("its first line is empty",)),
    ("no header", CSV.partition("\n")[2], ("'order_line_id' is missing", "its header may be missing")),
    ("UTF-16", CSV.encode("utf-16"), ("line 1 has a NUL byte", "UTF-8")),
    ("UTF-16 without a mark", CSV.encode("utf-16-le"), ("line 1 has a NUL byte",)),
    ("Latin-1 in a row", CSV.encode().replace(b"p3,", b"p\xe9,", 1), ("line 5", "UTF-8")),
    ("Latin-1 in the header", CSV.encode().replace(b"sold", b"s\xf6ld", 1), ("header is not encoded in UTF-8",)),
    ("UTF-8 and Latin-1", CSV.replace("p3,", "pä,").encode() + "l99,ö,p,1\n".encode("latin-1"), ("UTF-8",)),
    ("a NUL byte", CSV.replace("p3,", "p\0,", 1), ("line 5 has a NUL byte",)),
    ("zeros at its end", CSV + "\0" * 4096, ("line 42 has a NUL byte",)),
    ("a quote that is not closed", CSV.replace("l5,", '"l5,'), ("line 7", "quote")),
    ("text after a quote", CSV.replace("l5,", '"l5"x,'), ("line 7", "quote")),
    ("a field too few", CSV.replace(",o5,", ",", 1), ("line 7", "Found: 7")),
    ("a field too many", CSV.replace(",o5,", ",o5,x,", 1), ("line 7", "Found: 9")),
    ("a comma after each line", CSV.replace("\n", ",\n"), ("column 9 of 9 has no name",)),
    ("a column twice", CSV.replace("sold_price", "quantity", 1), ("names column 'quantity' 2 times",)),
    ("a column twice in other case", CSV.replace("sold_price", "Quantity", 1), ("names column 'quantity' 2 times",)),
    (
        "a required column renamed",
        CSV.replace("quantity", "quantiti", 1),
        ("'quantity' is missing", "rename 'quantiti'"),
    ),
    ("a required column away", CSV.replace("order_id", "x", 1), ("'order_id' is missing", "add it")),
    ("blanks in the header", CSV.replace("order_line_id,", " order_line_id ,", 1), ("rename ' order_line_id '",)),
    ("a line end in the header", CSV.replace("sold_price", '"sold\nprice"', 1), ("quote in its header",)),
    ("a column of ours", CSV.replace("sold_price", "_broken_rules", 1), ("the load itself uses",)),
    ("another column of ours", CSV.replace("sold_price", "_input_name", 1), ("the load itself uses",)),
    ("line ends that change", CSV[:900].replace("\n", "\r\n") + CSV[900:], ("line ends",)),
    ("a field of 3 MB", CSV.replace("p3,", "x" * 3_000_000 + ",", 1), ("line 5 has more than 2,000,000 bytes",)),
    ("a comment before the header", "# made by hand\n" + CSV, ("its header may be missing",)),
    ("Excel's first line", "sep=,\n" + CSV, ("has no name",)),
    ("JSON", NDJSON, ("is missing",)),
    ("an error page", "<html><body>503</body></html>\n", ("its header may be missing",)),
    ("a zip archive", b"PK\x03\x04\0\0" + os.urandom(99), ("NUL",)),
    ("decimal commas", CSV.replace(",", ";").replace("1.5", "1,5"), ("row 1", "sold_price_parses", "40 of 40")),
    ("blanks between columns", CSV.replace(",", " "), ("is missing",)),
    ("every value wrong", HEADER + "\n" + "a,b,c,d,e,f,g,h\n" * 50, ("row 1", "quantity_parses", "50 of 50")),
)
REFUSED_NDJSON = (
    ("nothing in it", "", ("it is empty",)),
    ("line ends only", "\n\n", ("it is empty",)),
    ("a byte order mark", b"\xef\xbb\xbf" + NDJSON.encode(), ("line 1", "byte order mark")),
    ("UTF-16", NDJSON.encode("utf-16"), ("NUL byte",)),
    ("one array", "[" + NDJSON.strip().replace("\n", ",\n") + "]", ("line 1", "unexpected end")),
    ("objects over several lines", json.dumps(LINES[0], default=str, indent=1), ("line 1", "unexpected end")),
    ("a number for an object", NDJSON + "5\n", ("no JSON object",)),
    ("a list for an object", NDJSON + "[1]\n", ("no JSON object",)),
    ("an end in mid-line", NDJSON[:-10], ("line 40", "unexpected end")),
    ("two objects on a line", NDJSON.replace("\n", " ", 1), ("line 1", "unexpected content")),
    ("commas between objects", NDJSON.replace("\n", ",\n"), ("line 1", "unexpected content")),
    ("a key twice", more('"quantity": 2'), ("line 41", "a key twice")),
    ("no UTF-8", NDJSON.encode() + b'{"order_line_id": "\xe9"}\n', ("line 41", "UTF-8")),
    ("half a surrogate", more('"region": "\\ud800"'), ("line 41", "surrogate")),
    ("a NUL byte", NDJSON + '{"order_line_id": "a\0b"}\n', ("line 41 has a NUL byte",)),
    ("a NUL byte in a key", more('"a\\u0000b": 1'), ("NUL byte in its name",)),
    ("lists in lists", more('"x": ' + "[" * 50_000 + "]" * 50_000), ("line 41 nests more than 1,000",)),
    ("objects in objects", more('"x": ' + '{"a":' * 20_000 + "1" + "}" * 20_000), ("line 41 nests",)),
    ("a text of 3 MB", more('"x": "' + "x" * 3_000_000 + '"'), ("line 41 has more than 2,000,000 bytes",)),
    ("a required key away", NDJSON.replace("quantity", "units"), ("'quantity' is missing",)),
    ("CSV", CSV, ("line 1",)),
    ("noise", b"\xfe\xfa" * 999, ("line 1",)),
)
LOADED_CSV = (
    ("line ends of Windows", CSV.replace("\n", "\r\n")),
    ("line ends of old Macs", CSV.replace("\n", "\r")),
    ("a byte order mark", b"\xef\xbb\xbf" + CSV.encode()),
    ("blank lines", CSV.replace("l5,", "\n\nl5,")),
    ("no last line end", CSV.rstrip("\n")),
    ("a line end within quotes", CSV.replace("l5,", '"l\n5",')),
    ("a comma within quotes", CSV.replace("l5,", '"l,5",')),
    ("a header in capitals", CSV.replace(HEADER, HEADER.upper())),
    ("a header in quotes", CSV.replace("order_line_id", '"order_line_id"', 1)),
    ("semicolons", CSV.replace(",", ";")),
    ("tabs", CSV.replace(",", "\t")),
    ("columns in another order", as_csv([dict(reversed(row.items())) for row in LINES])),
    ("a column more", as_csv([{**row, "colour": "red"} for row in LINES])),
    ("a column called load_id", as_csv([{**row, "load_id": 7, "input_name": "x", "filename": "y"} for row in LINES])),
    ("a column with quotes in its name", as_csv([{**row, "a'b\"c": 7} for row in LINES])),
    ("an optional column away", as_csv([{k: v for k, v in row.items() if k != "sold_price"} for row in LINES])),
)
LOADED_NDJSON = (
    ("line ends of Windows", NDJSON.replace("\n", "\r\n")),
    ("blank lines", NDJSON.replace("}\n", "}\n  \n\n")),
    ("keys in capitals", NDJSON.replace("order_id", "ORDER_ID")),
    ("keys more", NDJSON.replace("}\n", ', "load_id": 1, "": 2, "a\'b": [1, {"c": 2}]}\n')),
)


def cases() -> Iterator[Case]:
    """Each case as a file of its own."""
    number = count(1)
    for ending, refused in (("csv", REFUSED_CSV), ("ndjson", REFUSED_NDJSON)):
        for what, content, words in refused:
            yield Case(f"{next(number)} {ending}: {what}", f"order_lines.{ending}", content, words=words)
    for ending, sound in (("csv", LOADED_CSV), ("ndjson", LOADED_NDJSON)):
        for what, content in sound:
            yield Case(f"{next(number)} {ending}: {what}", f"order_lines.{ending}", content, loaded=ROWS)
    packed = gzip.compress(CSV.encode())
    for what, ending, content, words in (
        ("not compressed", "csv.gz", CSV.encode(), ("incorrect header check",)),
        ("broken off", "csv.gz", packed[:-9], ("Truncated",)),
        ("followed by noise", "csv.gz", packed + b"noise", ("incorrect header check",)),
        ("compressed twice", "csv.gz", gzip.compress(packed), ("NUL byte",)),
        ("of no bytes", "csv.gz", b"", ("its first line is empty",)),
        ("a bit flipped", "csv.gz", packed[:200] + bytes([packed[200] ^ 1]) + packed[201:], ("cannot be read",)),
        ("called .gz but zstandard", "ndjson.gz", b"\x28\xb5\x2f\xfd" + packed, ("incorrect header check",)),
        ("no format", "xlsx", b"x", ("no format that is known",)),
        ("a format in capitals", "CSV", CSV, ("no format that is known",)),
        ("a copy aside", "csv.bak", CSV, ("no format that is known",)),
        ("compressed Parquet", "parquet.gz", packed, ("no format that is known",)),
    ):
        yield Case(f"{next(number)} {ending}: {what}", f"order_lines.{ending}", content, words=words)
    for what, content, aside in (
        ("null for an object", NDJSON + "null\n", NOTHING_PRESENT),
        ("an empty object", NDJSON + "{}\n", NOTHING_PRESENT),
        (
            "an object as a number",
            NDJSON + ONE.replace('"quantity": 1', '"quantity": {"a": 1}') + "\n",
            "quantity_parses",
        ),
        ("true as a number", NDJSON + ONE.replace('"quantity": 1', '"quantity": true') + "\n", "quantity_parses"),
        ("a NUL in an id", NDJSON + ONE.replace('"x"', '"a\\u0000b"') + "\n", "order_line_id_parses"),
    ):
        yield Case(f"{next(number)} ndjson: {what}", "order_lines.ndjson", content, loaded=ROWS, aside={aside: 1})
    twice = CSV + CSV
    yield Case(
        f"{next(number)} csv: all of it twice", "order_lines.csv", twice, loaded=2 * ROWS,
        aside={NOTHING_PARSES: 1},
        stopped=("few_rows_set_aside",), warned=("key_unique",),
    )  # fmt: skip
    yield Case(
        f"{next(number)} csv: nearly all negative", "order_lines.csv", CSV.replace(",1,1.5", ",-1,1.5"), loaded=ROWS,
        stopped=("few_rows_set_aside",), warned=("quantity_in_range",),
    )  # fmt: skip
    yield Case(f"{next(number)} csv: only a header", "order_lines.csv", HEADER, loaded=0, stopped=("enough_rows",))
