"""Ids of people as keyed hashes (HMAC-SHA-256), from the first moment on: whoever reads the home, quarantined rows
included, cannot tell without the key whose rows they are, and the shop, which has it, can."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace

import duckdb

from warehouse.contracts import Table
from warehouse.contracts.table import literal, quote
from warehouse.sources.base import Relation

_BLOCK = 64  # bytes, of SHA-256
# 128 of its 256 bits are more than enough to tell people apart, and half as long in every row.
_DIGITS = 32


def pseudonym(key: str, identifier: str) -> str:
    """What the id is called in the home."""
    return hmac.new(key.encode(), identifier.encode(), hashlib.sha256).hexdigest()[:_DIGITS]


def use_key(con: duckdb.DuckDBPyConnection, key: str) -> None:
    """From here on relations of this connection become `pseudonymous`. The key stays in the session's memory."""
    encoded = key.encode()
    block = (hashlib.sha256(encoded).digest() if len(encoded) > _BLOCK else encoded).ljust(_BLOCK, b"\0")
    for name, pad in (("inner", 0x36), ("outer", 0x5C)):
        con.execute(f"set variable pseudonym_{name} = $1", [bytes(byte ^ pad for byte in block)])


def pseudonymous(con: duckdb.DuckDBPyConnection, table: Table, relation: Relation) -> Relation:
    """The relation with pseudonyms for the ids of people; itself where no key is in use or it has none."""
    if not _is_in_use(con):
        return relation
    offered = {name.lower(): name for name, *_ in con.execute(f"describe {relation.sql}").fetchall()}
    return replace(relation, sql=_replaced(table, offered, f"({relation.sql})"))


def pseudonymous_keys(con: duckdb.DuckDBPyConnection, table: Table, keys: str) -> None:
    """The same for a temporary table of keys, in place."""
    if _is_in_use(con):
        offered = {name.lower(): name for name, *_ in con.execute(f"describe {quote(keys)}").fetchall()}
        con.execute(f"create or replace temp table {quote(keys)} as {_replaced(table, offered, quote(keys))}")


def _is_in_use(con: duckdb.DuckDBPyConnection) -> bool:
    return bool(con.execute("select 1 where getvariable('pseudonym_inner') is not null").fetchall())


def _replaced(table: Table, offered: dict[str, str], rows: str) -> str:
    ids = [column.name for column in table.columns if column.pii and column.name.endswith("_id")]
    hashed = [f"{_hmac(quote(offered[name]))} as {quote(offered[name])}" for name in ids if name in offered]
    return f"select * replace ({', '.join(hashed)}) from {rows}" if hashed else f"select * from {rows}"


def _hmac(name: str) -> str:
    inner = f"unhex(sha256(getvariable('pseudonym_inner') || encode(cast({name} as varchar))))"
    return f"left(sha256(getvariable('pseudonym_outer') || {inner}), {literal(_DIGITS)})"
