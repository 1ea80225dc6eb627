"""The one module that speaks to object storage: objects below a bucket's prefix, and errors in words.

A folder is a store as well, so that what is written for a bucket can be tried, and used, on any disk. Endpoint, region
and keys come from where the AWS tools look in the environment (`AWS_ENDPOINT_URL`, `AWS_REGION`,
`AWS_ACCESS_KEY_ID` ...) or from the role of the machine, unless the caller has keys; nothing of them is kept here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

# Folders of a home that are gone when what they are for is done.
FETCHED, DRAFTS = "fetched-", "parquet-"
_SCHEME = "s3://"
_BUCKET = re.compile(r"s3://[A-Za-z0-9][A-Za-z0-9._-]+(/.*)?")
_RETRIES = {"max_retries": 3, "retry_timeout": timedelta(seconds=30)}
_PIECE_BYTES = 8 * 2**20
_REMEDY = (
    "see that AWS_ENDPOINT_URL, AWS_REGION, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are those of the store, "
    "that it is reached from here (over http:// with AWS_ALLOW_HTTP=true), and that the key may do what "
    "docs/object-storage.md lists"
)
# A name with `..`, `//` or a control character in it, which the client hands out to nobody.
_BAD_NAME, _RENAME = "invalid path", "Remedy: rename or remove the object."


class StoreLost(ConnectionError):  # noqa: N818 - named after what is the case
    """The store is not reached, or is out of order; trying again may help."""


class StoreRefused(RuntimeError):  # noqa: N818 - named after what the store did
    """The store understood and said no."""


class ExtraMissing(RuntimeError):  # noqa: N818 - named after what is the case
    """The client is not installed."""


class BadLocation(ValueError):  # noqa: N818 - named after what is the case
    """A location that is no bucket with a prefix."""


class Changed(RuntimeError):  # noqa: N818 - named after what is the case
    """An object is gone or another one since it was listed."""


# Whatever a store may raise about the world outside.
FAILURES = (StoreLost, StoreRefused, ExtraMissing)


@dataclass(frozen=True, kw_only=True)
class Keys:
    """Who asks, where neither the environment nor the machine's role says so. They show in no error and no log."""

    access_key_id: str = field(repr=False)
    secret_access_key: str = field(repr=False)
    session_token: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Found:
    """An object as a listing shows it; `name` is relative to the store, `state` is another one for another content."""

    name: str
    size: int
    state: str
    etag: str | None


def is_bucket(location: str) -> bool:
    """Whether the location is in a bucket and not a folder."""
    return location.startswith(_SCHEME)


def check_location(location: str) -> None:
    """BadLocation when it begins as a bucket's and goes on as none."""
    if "://" in location and not _BUCKET.fullmatch(location):
        raise BadLocation(f"{location!r} is no bucket with a prefix. Remedy: write s3://BUCKET/PREFIX, or a folder.")


class Store:
    """The objects below `s3://BUCKET/PREFIX`, or the files below a folder, which is made when it is missing.

    Raises one of FAILURES when it cannot do what it is asked.
    """

    def __init__(self, location: str, keys: Keys | None = None) -> None:
        check_location(location)
        self.location = location.rstrip("/")
        self._client = _client()
        with self._in_words():
            if is_bucket(location):
                given = {"credential_provider": _provider(keys)} if keys else {}
                self._store = self._client.store.S3Store.from_url(location, retry_config=_RETRIES, **given)
            else:
                self._store = self._client.store.LocalStore(Path(location).expanduser().resolve(), mkdir=True)

    def top(self) -> list[Found]:
        """The objects without a folder in their name, sorted by name."""
        with self._in_words():
            return _sorted(self._client.list_with_delimiter(self._store)["objects"])

    def below(self, folder: str | None = None) -> list[Found]:
        """The objects in a folder and in those below, or all, sorted by name."""
        with self._in_words():
            return _sorted(self._client.list(self._store, folder).collect())

    def fetch(self, found: Found, path: Path) -> None:
        """Copy the object to a new file, some megabytes at a time; Changed when it is not the one that was found."""
        wanted = {"if_match": found.etag} if found.etag else {}
        with self._in_words():
            try:
                body = self._client.get(self._store, found.name, options=wanted)
            except (self._client.exceptions.PreconditionError, FileNotFoundError) as error:
                raise Changed(found.name) from error
            with path.open("xb") as file:
                for piece in body.stream(min_chunk_size=_PIECE_BYTES):
                    file.write(memoryview(piece))
        if path.stat().st_size != found.size:
            raise Changed(found.name)

    def read(self, name: str) -> bytes | None:
        """All of a small object; None where there is none."""
        with self._in_words():
            try:
                return bytes(self._client.get(self._store, name).bytes())
            except FileNotFoundError:
                return None

    def write(self, name: str, content: bytes | Path) -> None:
        """Write an object in one step: who reads it meanwhile gets the one before, whole. A file goes in parts."""
        with self._in_words():
            self._client.put(self._store, name, content)

    def remove(self, names: Sequence[str]) -> None:
        """Remove objects; one that is gone already is no error."""
        with self._in_words():
            for name in names:
                try:
                    self._client.delete(self._store, name)
                except FileNotFoundError:
                    continue

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        """The client's errors as ours."""
        try:
            yield
        except self._client.exceptions.BaseError as error:
            words, is_answer = _words(str(error))
            if _BAD_NAME in words:
                raise StoreRefused(f"{self.location} holds an object that is none. {words}. {_RENAME}") from None
            kind = StoreRefused if is_answer or not is_bucket(self.location) else StoreLost
            raise kind(f"{self.location} says: {words}. Remedy: {_REMEDY}.") from None


def _provider(keys: Keys) -> Callable[[], dict[str, str | None]]:
    """The keys as the client asks for them, in place of any that the environment has: a token of other keys too."""
    told = {
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "token": keys.session_token,
        "expires_at": None,
    }
    return lambda: told


def _sorted(listed: Sequence[Any]) -> list[Found]:
    found = [
        Found(
            name=item["path"],
            size=item["size"],
            state=f"{item['e_tag'] or item['last_modified'].isoformat()}, {item['size']} bytes",
            etag=item["e_tag"],
        )
        for item in listed
    ]
    return sorted(found, key=lambda item: item.name)


def _words(text: str) -> tuple[str, bool]:
    """What the store said, and whether it answered for good: no more of it, for the rest quotes requests."""
    code, message = (re.search(f"<{tag}>([^<]*)</{tag}>", text) for tag in ("Code", "Message"))
    status = re.search(r"status code: (\d+ [A-Za-z ]+)", text)
    first = text.partition("\n")[0].rpartition(" - ")[2]
    said = ": ".join(match[1] for match in (code, message) if match) or (status[1] if status else first)
    return said.strip().rstrip("."), bool(status and status[1].startswith("4"))


def _client() -> Any:
    try:
        import obstore
        import obstore.store
    except ImportError:
        raise ExtraMissing(
            "Object storage needs the extra 's3', which is not installed. Remedy: pip install 'fivefold[s3]', "
            "in a checkout .venv/bin/pip install -e '.[s3]' -c constraints.txt."
        ) from None
    return obstore
