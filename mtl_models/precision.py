"""How exactly numbers are kept on which device."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext

import torch


def autocast(device: torch.device) -> AbstractContextManager[object]:
    """Within it, matrix products are made in bfloat16 on a GPU that has units for that; elsewhere nothing changes.

    It is for encoders and what tasks share. Weights stay as they are, and so do heads, curve and losses, which take
    logarithms of what hardly differs.
    """
    if device.type == "cuda" and torch.cuda.is_bf16_supported():
        return torch.autocast("cuda", dtype=torch.bfloat16)
    return nullcontext()
