"""A real S3 API on loopback for the whole session, and a bucket of its own for each test."""

from __future__ import annotations

import os
from collections.abc import Iterator
from itertools import count

import pytest

from tests.object_storage.server import is_installed, make_bucket, running_server

SECRET = "a-secret-that-nobody-writes-down"
_NUMBERS = count(1)


@pytest.fixture(scope="session")
def endpoint() -> Iterator[str]:
    """The address of a running server."""
    if not is_installed():
        pytest.skip("no S3 server here: make .venv-moto/.installed")
    with running_server() as address:
        yield address


@pytest.fixture
def bucket(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An empty bucket, `s3://NAME`, that the environment says how to reach."""
    settings = {
        "AWS_ENDPOINT_URL": endpoint,
        "AWS_ALLOW_HTTP": "true",
        "AWS_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "tests",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    for key, value in settings.items():
        monkeypatch.setenv(key, value)
    return make_bucket(endpoint, f"shop-{os.getpid()}-{next(_NUMBERS)}")
