"""Memory of the id embeddings while a model is trained."""

from __future__ import annotations

FLOAT_BYTES = 4
# Weights, their average, the best average so far and the copy that replaces it, and two moments of the gradient.
COPIES = 6


def bytes_per_id(width: int) -> int:
    """Bytes of one user or product of a big table in training; the average also keeps how far it has caught up."""
    return FLOAT_BYTES * (COPIES * width + 1)
