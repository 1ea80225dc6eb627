"""Addresses, and the passwords that are in none."""

from __future__ import annotations

import pytest

from flows.settings import SettingsError, load_settings
from tests.postgres.conftest import connect
from warehouse.postgres.address import BadAddress, parse_address
from warehouse.postgres.session import ServerLost, Session
from warehouse.sources import FeedError, open_source

SECRET = "canary-4711"


@pytest.mark.parametrize(
    ("text", "keywords"),
    [
        ("postgresql://ann@db:5433/shop", {"user": "ann", "host": "db", "port": "5433", "dbname": "shop"}),
        ("postgres://db.example", {"host": "db.example"}),
        ("postgresql://[::1]:5432/a%20b", {"host": "::1", "port": "5432", "dbname": "a b"}),
        ("postgresql://db/shop?sslmode=require", {"host": "db", "dbname": "shop", "sslmode": "require"}),
        ("postgresql://a:1,b:2/shop", {"host": "a,b", "port": "1,2", "dbname": "shop"}),
        (r"host=/run/pg dbname = 'a \'b\''", {"host": "/run/pg", "dbname": "a 'b'"}),
    ],
)
def test_an_address_is_understood_as_libpq_does(text: str, keywords: dict[str, str]) -> None:
    assert parse_address(text).keywords == keywords


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://ann:{SECRET}@db/shop",
        f"postgresql://ann:{SECRET}/x@db/shop",
        f"postgresql://db/shop?password={SECRET}",
        f"host=db PASSWORD = {SECRET}",
        f"host=db sslpassword='{SECRET}'",
        f"//ann:{SECRET}@db/shop",
        f"mysql://{SECRET}",
        f"host=db {SECRET}",
    ],
)
def test_an_address_with_a_password_or_of_no_sense_is_refused_and_not_repeated(text: str) -> None:
    for ask in (
        lambda: parse_address(text),
        lambda: open_source(f"postgres:{text}"),
        lambda: load_settings(publish={"postgres": text}),
    ):
        with pytest.raises((BadAddress, FeedError, SettingsError), match="Remedy") as error:
            ask()
        assert SECRET not in str(error.value)
        assert SECRET not in repr(error.value.__cause__)


def test_a_source_of_any_kind_with_a_password_is_no_setting() -> None:
    with pytest.raises(SettingsError) as error:
        load_settings(source=f"postgresql://ann:{SECRET}@db/shop")
    assert "password" in str(error.value) and SECRET not in str(error.value)


def test_the_password_comes_from_the_environment_or_from_whoever_has_it(
    server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with connect(server) as owner:
        owner.run("create role ann login password '" + SECRET + "'")
    address = parse_address(server.replace("postgres@", "ann@"))
    for wrong in (None, "wrong"):
        with pytest.raises(ServerLost, match=r"password.*Remedy") as error:
            Session(address, wrong)
        assert "wrong" not in str(error.value)
    Session(address, SECRET).close()
    monkeypatch.setenv("PGPASSWORD", SECRET)
    Session(address, None).close()


def test_without_the_extra_the_error_names_it(server: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "adbc_driver_postgresql", None)
    with pytest.raises(RuntimeError, match=r"fivefold\[postgres\]"):
        connect(server)
