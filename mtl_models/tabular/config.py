"""Settings of a user's own model, each default with its reason; how tasks share and balance is set as in the joint
model."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from mtl_models.config import NetworkConfig


class TabularConfig(NetworkConfig):
    """A multi-task model of one table."""

    embedding_width: int = Field(8, ge=1, description="Width of the embedding of each column")
    bins: int = Field(
        256,
        ge=0,
        description="Most bins of a number's piecewise-linear embedding, so that a single value may matter; 0 for none",
    )
    members: int = Field(
        8, ge=1, description="Networks in the ensemble; they share all but their scales and last layer"
    )
    tower_width: int = Field(32, ge=1, description="Hidden units of each task's own layer")
    precision: Literal["auto", "float32", "bfloat16"] = Field(
        "auto", description="auto takes bfloat16 where the processor has matrix units for it"
    )
    average_memory: float = Field(
        0.99, ge=0, lt=1, description="Memory of the weights' running mean, which is kept; 0: none"
    )
    learning_rate: float = Field(4e-3, gt=0, description="AdamW step size; the running mean bears long steps")
    weight_decay: float = Field(1e-2, ge=0, description="AdamW decay")
    batch_rows: int = Field(1024, ge=1, description="Most rows in one step; small tables are passed in 8 steps")
    max_epochs: int = Field(40, ge=1, description="Most passes over the rows")
    patience: int = Field(4, ge=0, description="Passes without a better validation loss before stopping")
