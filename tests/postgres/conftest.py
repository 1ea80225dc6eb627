"""One server for the whole session, and a database of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest

from tests.postgres.server import find_programs, running_server
from warehouse.postgres.address import parse_address
from warehouse.postgres.session import Session

_NUMBERS = count(1)


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a running server."""
    programs = find_programs()
    if programs is None:
        pytest.skip("no PostgreSQL here: apt-get install postgresql, or brew install postgresql")
    with running_server(programs) as address:
        yield address


@pytest.fixture
def address(server: str) -> str:
    """The address of an empty database."""
    name = f"shop_{next(_NUMBERS)}"
    with connect(server) as session:
        session.run(f"create database {name}")
    return server.removesuffix("postgres") + name


@pytest.fixture
def database(address: str) -> Iterator[Session]:
    """A session of the database's owner."""
    with connect(address) as session:
        yield session


def connect(address: str) -> Session:
    return Session(parse_address(address), None)
