"""Sources of feeds, by name. A new source is a new module with a `Source` subclass; its module name is its name."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from datetime import date
from difflib import get_close_matches
from pathlib import Path

from warehouse.sources.base import FeedError, Input, Progress, Relation, Source, SourceOptions

# Files are files, wherever they lie.
_IN_BUCKETS = "warehouse.object_storage.source"


def source_names() -> tuple[str, ...]:
    """The names that `open_source` knows."""
    return tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if module.name != "base"))


def open_source(
    spec: str, as_of_date: date | None = None, home: Path | None = None, options: SourceOptions | None = None
) -> Source:
    """The source called `NAME` or `NAME:LOCATION`; FeedError names the nearest when there is none of that name.

    Without an `as_of_date` the source gives everything that it has; `home` is where it may keep what it makes;
    `options` are for one that is a database or in a bucket.
    """
    name, _, location = spec.partition(":")
    if name not in source_names():
        near = get_close_matches(name, source_names(), n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(source_names())}."
        raise FeedError(
            f"There is no source {name!r}.",
            remedy=f"{hint} A folder of files is 'files:FOLDER' or 'files:s3://BUCKET/PREFIX'.",
        )
    module = importlib.import_module(_IN_BUCKETS if name == "files" and "://" in location else f"{__name__}.{name}")
    for member in vars(module).values():
        if inspect.isclass(member) and issubclass(member, Source) and member.__module__ == module.__name__:
            source = member(location or None, as_of_date, home)
            source.configure(options or SourceOptions())
            return source
    raise TypeError(f"{module.__name__} has no Source subclass")


__all__ = ["FeedError", "Input", "Progress", "Relation", "Source", "SourceOptions", "open_source", "source_names"]
