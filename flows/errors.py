"""An error as one message with its remedy."""

from __future__ import annotations

import errno
import os

_NO_SPACE = os.strerror(errno.ENOSPC)
_MAKE_ROOM = (
    "make room, or lower publish.keep_releases, and run it again; readers keep the release before, and what was half "
    "written is cleared then. fivefold doctor says how much is free."
)
_MAKE_WRITABLE = "correct the owner or mode of the folder, or how it is mounted, or choose another with --home."


def in_words(error: BaseException) -> str:
    """What happened and what to do. Errors that people can mend explain themselves; any other is a fault of ours."""
    words = str(error).strip() or type(error).__name__
    if "Remedy:" in words:
        return words
    kind = type(error).__name__
    if kind == "OutOfMemoryException":
        return f"the database ran out of memory: {words.splitlines()[0]}. Remedy: raise memory_limit, or lower threads."
    if getattr(error, "errno", None) == errno.ENOSPC or _NO_SPACE in words:
        return f"the disk is full: {words.splitlines()[0]}. Remedy: {_MAKE_ROOM}"
    if isinstance(error, OSError) and error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return f"{error.filename} cannot be written: {error.strerror}. Remedy: {_MAKE_WRITABLE}"
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}. Remedy: fivefold doctor says what is missing."
    return f"{kind}: {words}. Remedy: run it again as `fivefold --debug ...` and report what it shows."
