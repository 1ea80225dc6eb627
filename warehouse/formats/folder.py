"""The files of a feed within a folder; what is no file that can be read is an error, never passed over."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

from warehouse.contracts.table import literal
from warehouse.sources.base import FeedError, unreadable


def path_literal(path: Path) -> str:
    """The path as a SQL literal that names this file and no other: DuckDB takes `*`, `?` and `[` for a pattern."""
    return literal(re.sub(r"([*?\[])", r"[\1]", str(path)))


def files_of(folder: Path, feed: str) -> dict[str, Path]:
    """{path within the folder: file} of the feed, sorted: `FEED.*`, and everything below the folder `FEED`.

    Names that begin with `.` or `_` are passed over, as everywhere where files are written in parts. FeedError names
    what is neither file nor folder, a link that leads nowhere or out of the folder, and a name that is not UTF-8.
    """
    found = [*folder.glob(f"{feed}.*"), *_below(folder / feed, feed, folder)]
    files = {path.relative_to(folder).as_posix(): path for path in sorted(found) if path.name[0] not in "._"}
    root = folder.resolve()
    for name, path in files.items():
        _require_file(feed, name, path)
        # Who may deliver feeds may not have read here whatever this process can read.
        if not path.resolve().is_relative_to(root):
            remedy = "deliver the file itself, or name the folder in which it lies as files:FOLDER"
            raise _refused(feed, name, "is, or lies behind, a link that leads out of the folder", remedy)
    return files


def _below(start: Path, feed: str, folder: Path) -> list[Path]:
    """Every entry below a folder but the folders. No link to a folder within is followed: it may lead in a circle."""
    if start.is_symlink() and not start.exists():
        raise _refused(feed, feed, "is a link that leads nowhere", "mend or remove the link")
    if not start.exists():
        return []
    if not start.is_dir():
        raise _refused(feed, feed, "has no format that is known", "give it the ending of its format, such as .csv")
    entries: list[Path] = []
    for place, folders, names in os.walk(start, onerror=_cannot_list(feed)):
        entries += [Path(place, name) for name in names]
        for name in folders:
            if Path(place, name).is_symlink():
                where = Path(place, name).relative_to(folder).as_posix()
                raise _refused(
                    feed, where, "is a link to a folder, which is not followed", f"make {feed} itself such a link"
                )
    return entries


def _cannot_list(feed: str) -> Callable[[OSError], None]:
    def refuse(error: OSError) -> None:
        raise unreadable(feed, feed, error) from error

    return refuse


def _require_file(feed: str, name: str, path: Path) -> None:
    if "\\" in name:
        raise _refused(feed, name, "has a backslash in its name, which may part folders", "rename it")
    try:
        name.encode()
    except UnicodeEncodeError:
        shown = name.encode("utf-8", "replace").decode()
        raise _refused(feed, shown, "has a name that is not UTF-8", "rename it") from None
    if path.is_file():
        return
    if path.is_symlink() and not path.exists():
        raise _refused(feed, name, "is a link that leads nowhere or in a circle", "mend or remove the link")
    if path.is_dir():
        raise _refused(feed, name, "is a folder with the name of a file", f"call the folder {feed}")
    raise _refused(feed, name, "is no regular file", "deliver the feed as a file")


def _refused(feed: str, name: str, problem: str, remedy: str) -> FeedError:
    return FeedError(f"It {problem}.", feed=feed, file=name, remedy=f"{remedy}.")
