"""Multi-task models of one's own tables: ten lines from a frame to predictions."""

from __future__ import annotations

from mtl_models.tabular.config import TabularConfig
from mtl_models.tabular.errors import FrameError
from mtl_models.tabular.model import MultiTaskModel
from mtl_models.tabular.task import TaskSpec

__all__ = ["FrameError", "MultiTaskModel", "TabularConfig", "TaskSpec"]
