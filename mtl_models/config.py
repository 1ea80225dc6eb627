"""Settings of the model, each default with its reason."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class Frozen(BaseModel):
    """A settings section: immutable, and an unknown key is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class TaskWeights(Frozen):
    """lambda_j: the weight of each task's loss in the joint objective. Losses are deviances divided by
    those of the constant predictor, so 1 means equal say."""

    profile: float = Field(1.0, ge=0, description="User profile: spend, orders, interests")
    recommendation: float = Field(1.0, ge=0, description="Recommendation: which products a user buys next")
    pricing: float = Field(1.0, ge=0, description="Price response of demand")
    promotion: float = Field(0.5, ge=0, description="Coupon redemption; few rows, so less say")
    supply: float = Field(1.0, ge=0, description="Demand quantiles for supply")
    service: float = Field(1.0, ge=0, description="Contacts with service")


class NetworkConfig(Frozen):
    """How a network shares, balances and is trained: read by `sharing` and `balancing`, and the same for the joint
    model and for a user's own (`mtl_models.tabular`)."""

    sharing: Literal["hard"] = Field("hard", description="How tasks share: one trunk for all")
    trunk_widths: tuple[int, ...] = Field((128, 96), description="Layers of the shared trunk")
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout in the trunk")
    learning_rate: float = Field(1.5e-3, gt=0, description="AdamW peak step size")
    weight_decay: float = Field(5e-2, ge=0, description="AdamW decay")
    max_epochs: int = Field(5, ge=1, description="Most passes over the data")
    patience: int = Field(1, ge=0, description="Passes without a better validation loss before stopping")
    batch_rows: int = Field(4096, ge=64, description="Rows of all tasks together in one step")
    seed: int = Field(0, ge=0, description="Seed of initial weights, sampling and dropout")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU when there is one")


class ModelConfig(NetworkConfig):
    """The joint model and its training."""

    task_weights: TaskWeights = Field(default_factory=TaskWeights, description="Loss weights by task")
    id_embedding_width: int = Field(5, ge=1, description="Width of id embeddings; wider only memorises")
    slot_width: int = Field(48, ge=4, description="Width of each encoded entity")
    id_dropout: float = Field(0.5, ge=0, lt=1, description="Share of ids hidden, so that features can stand in")
    warm_max_epochs: int = Field(1, ge=1, description="Most passes when yesterday's model is the start")
    finish_epochs: int = Field(1, ge=0, description="Passes with the validation window added, at a low step size")
    warm_start: bool = Field(True, description="Start from the latest earlier night's model when it fits")
