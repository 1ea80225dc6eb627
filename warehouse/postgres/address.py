"""Where a database is, as libpq writes it: `postgresql://user@host:5432/shop` or `host=... dbname=... user=...`.

An address may be in a settings file, a run form, a log and the diary. So it never has a password in it: that is asked
for in words that do not repeat the address.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote

_SECRETS = frozenset({"password", "sslpassword"})
_KEYWORD = re.compile(r"\s*(\w+)\s*=\s*(?:'((?:[^'\\]|\\.)*)'|((?:[^\s'\\]|\\.)+))")
# A user, a colon and something before an @ is a password in any dialect of addresses.
_LOOKS_SECRET = re.compile(r"//[^/\s]*:[^\s]*@|\b(?:ssl)?password\s*=", re.IGNORECASE)
_WHERE_IT_GOES = (
    "put it into PGPASSWORD, into the passfile ~/.pgpass, or into a Prefect Secret block that password_block names"
)


class BadAddress(ValueError):  # noqa: N818 - named after what is the case
    """An address that is not understood, or that tells a secret; the message repeats nothing of it."""


@dataclass(frozen=True)
class Address:
    """An address without its password: `keywords` are libpq's."""

    keywords: Mapping[str, str]

    @property
    def server(self) -> str:
        """The server as people name it: host and port, or the service or the default that libpq finds them by."""
        host = self.keywords.get("host") or self.keywords.get("hostaddr")
        if not host:
            return self.keywords.get("service", "the default server")
        return f"{host}:{self.keywords['port']}" if "port" in self.keywords else host

    def connection_string(self, password: str | None) -> str:
        """What libpq is given; the one place where address and password meet."""
        defaults = {"connect_timeout": "10", "fallback_application_name": "fivefold"}
        given = {**defaults, **self.keywords, **({"password": password} if password else {})}
        return " ".join(f"{name}='{_escaped(value)}'" for name, value in given.items())


def refuse_secrets(text: str) -> None:
    """BadAddress when a text that will be written down seems to have a password in it, whatever its form."""
    if _LOOKS_SECRET.search(text):
        raise BadAddress(f"a password stands in the address. Remedy: take it out and {_WHERE_IT_GOES}.")


def parse_address(text: str) -> Address:
    """The address; BadAddress when it is not understood or has a password."""
    refuse_secrets(text)
    found = _of_uri(text) if "://" in text else _of_keywords(text)
    if found is None or not found:
        raise BadAddress(
            "the address of the database is not understood. "
            "Remedy: write postgresql://USER@HOST:5432/DATABASE, or host=HOST dbname=DATABASE user=USER."
        )
    if _SECRETS & found.keys():
        raise BadAddress(f"a password stands in the address. Remedy: take it out and {_WHERE_IT_GOES}.")
    return Address(found)


def _of_keywords(text: str) -> dict[str, str] | None:
    found: dict[str, str] = {}
    position = 0
    for match in _KEYWORD.finditer(text):
        if match.start() != position:
            return None
        found[match[1].lower()] = re.sub(r"\\(.)", r"\1", match[2] if match[2] is not None else match[3])
        position = match.end()
    return found if not text[position:].strip() else None


def _of_uri(text: str) -> dict[str, str] | None:
    scheme, _, rest = text.partition("://")
    if scheme not in ("postgres", "postgresql"):
        return None
    rest, _, query = rest.partition("?")
    place, _, database = rest.partition("/")
    user, _, hosts = place.rpartition("@")
    pairs = [_host_and_port(host) for host in hosts.split(",") if host]
    found = {
        "user": unquote(user),
        "dbname": unquote(database),
        "host": ",".join(unquote(host) for host, _ in pairs),
        "port": ",".join(port for _, port in pairs) if any(port for _, port in pairs) else "",
        **dict(parse_qsl(query)),
    }
    return {name: value for name, value in found.items() if value}


def _host_and_port(text: str) -> tuple[str, str]:
    """`[::1]:5432` and `db.example:5432`, the port empty where there is none."""
    if text.startswith("["):
        host, _, port = text[1:].partition("]")
        return host, port.removeprefix(":")
    host, _, port = text.partition(":")
    return host, port


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("'", "\\'")
