"""Which PostgreSQL types a contract accepts, and how a value leaves the server: exact, in UTC, as one Arrow type."""

from __future__ import annotations

from collections.abc import Mapping

_WHOLE_NUMBERS = ("smallint", "integer", "bigint")
_TEXTS = ("text", "character varying", "character", "citext", "name", "uuid", "enum")
# Arrow has no infinite moments: a bound that is no bound is read as empty.
_FINITE = "case when isfinite({0}) then {0} end"

# Contract type -> PostgreSQL type -> the expression that is read. Money stays out of floats, and a float out of money.
_READ: Mapping[str, Mapping[str, str]] = {
    "VARCHAR": dict.fromkeys((*_TEXTS, *_WHOLE_NUMBERS), "{0}::text"),
    "VARCHAR[]": dict.fromkeys(("text[]", "character varying[]", "uuid[]"), "{0}::text[]"),
    "BIGINT": dict.fromkeys(_WHOLE_NUMBERS, "{0}::bigint"),
    "DOUBLE": dict.fromkeys((*_WHOLE_NUMBERS, "real", "double precision", "numeric"), "{0}::double precision"),
    "DECIMAL(18,4)": dict.fromkeys((*_WHOLE_NUMBERS, "numeric", "money"), "{0}::numeric::text"),
    "BOOLEAN": {"boolean": "{0}"},
    "DATE": {"date": _FINITE},
    "TIMESTAMP": {
        "timestamp with time zone": "case when isfinite({0}) then {0} at time zone 'UTC' end",
        "timestamp without time zone": _FINITE,
        "date": "case when isfinite({0}) then {0}::timestamp end",
    },
}
# A column that says when a row changed, and one that says that it is deleted.
MOMENTS = frozenset({*_READ["TIMESTAMP"]})
TOMBSTONES: Mapping[str, str] = {**dict.fromkeys(MOMENTS, "{0} is not null"), "boolean": "{0} is true"}


def read_as(contract_type: str, postgres_type: str) -> str | None:
    """The expression, with {0} for the column; None where the contract does not accept the type."""
    return _READ[contract_type].get(postgres_type)


def accepted(contract_type: str) -> tuple[str, ...]:
    """The PostgreSQL types that the contract's type may come from."""
    return tuple(_READ[contract_type])
