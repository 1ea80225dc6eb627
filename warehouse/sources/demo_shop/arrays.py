"""What the world's arrays are called."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]
Ints = NDArray[np.integer]
Flags = NDArray[np.bool_]
# Structured arrays: one element per order, line, ticket; their columns are in `state`.
Rows = NDArray[np.void]
