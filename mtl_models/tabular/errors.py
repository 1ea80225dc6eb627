"""What may be wrong with a user's frame."""

from __future__ import annotations


class FrameError(ValueError):
    """A frame that cannot be used; the message names the column, the rule and the remedy."""
