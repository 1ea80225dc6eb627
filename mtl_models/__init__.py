"""HOW: tensors and numbers only. One multi-task model, five heads, pure decision policies; and `MultiTaskModel`, for
tables of one's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mtl_models.tabular import FrameError, MultiTaskModel, TabularConfig, TaskSpec

__all__ = ["FrameError", "MultiTaskModel", "TabularConfig", "TaskSpec"]


def __getattr__(name: str) -> Any:
    """Names of `__all__`, when they are asked for: who only reads settings need not wait for torch."""
    if name in __all__:
        from mtl_models import tabular

        return getattr(tabular, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
