"""An error as one message with its remedy."""

from __future__ import annotations


def in_words(error: BaseException) -> str:
    """What happened and what to do. Errors that people can mend explain themselves; any other is a fault of ours."""
    words = str(error).strip() or type(error).__name__
    if "Remedy:" in words:
        return words
    kind = type(error).__name__
    if kind == "OutOfMemoryException":
        return f"the database ran out of memory: {words.splitlines()[0]}. Remedy: raise memory_limit, or lower threads."
    if isinstance(error, OSError) and error.filename:
        return f"{error.strerror}: {error.filename}. Remedy: fivefold doctor says what is missing."
    return f"{kind}: {words}. Remedy: run it again as `fivefold --debug ...` and report what it shows."
