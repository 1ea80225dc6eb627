"""Settings of the model, each default with its reason."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError, field_validator, model_validator

Family = Literal["single", "hard", "soft", "cross_stitch", "mmoe", "ple", "relationship", "adversarial"]
Link = Literal["profile->recommendation", "profile->service", "demand->price"]
Method = Literal[
    "fixed", "uncertainty", "dwa", "rlw", "gradnorm", "pcgrad", "cagrad", "mgda", "nashmtl", "alignedmtl", "upgrad"
]
# Methods that compare the tasks' gradients where all of them share.
GRADIENT_METHODS = ("gradnorm", "pcgrad", "cagrad", "mgda", "nashmtl", "alignedmtl", "upgrad")


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


class LearningRates(Frozen):
    """Step sizes of the heads' own parameters, as factors of learning_rate. Few rows are learned by heart at the pace
    that many need."""

    profile: float = Field(3.0, gt=0, description="User profile, whose rows are few but alike from month to month")
    recommendation: float = Field(1.0, gt=0, description="Recommendation and product quality")
    pricing: float = Field(1.0, gt=0, description="Price response; the demand curve itself moves at learning_rate")
    promotion: float = Field(1.0, gt=0, description="Coupon redemption and uplift")
    supply: float = Field(1.0, gt=0, description="Demand quantiles")
    service: float = Field(1.0, gt=0, description="Contacts and tickets")


class ConsistencyConfig(Frozen):
    """Consistency regularisation: one task reads what another says of the same user or product. The formulas are those
    of `mtl_models/consistency.py`."""

    links: tuple[Link, ...] = Field((), description="Which task reads which; `fivefold tune` tells whether one pays")
    beta: float = Field(
        0.01, ge=0, allow_inf_nan=False, description="Penalty on the task that is read, for leaving its baseline"
    )
    delta: float = Field(
        0.01, ge=0, allow_inf_nan=False, description="Penalty on the task that reads, for leaving what it reads"
    )
    stops_gradient: bool = Field(True, description="Whether the task that is read learns from its own labels only")


class NetworkConfig(Frozen):
    """How a network shares, balances and is trained: read by `sharing` and `balancing`, and the same for the joint
    model and for a user's own (`mtl_models.tabular`)."""

    sharing: Family = Field("hard", description="How tasks share what they learn; hard is one trunk for all")
    soft_tie: float = Field(1.0, ge=0, description="soft: how strongly trunks are tied; infinite is hard")
    experts: int = Field(4, ge=1, description="mmoe: experts that every gate chooses from")
    shared_experts: int = Field(2, ge=0, description="ple: experts of all tasks; two are enough for few tables")
    specific_experts: int = Field(1, ge=1, description="ple: experts of each task")
    expert_levels: int = Field(1, ge=1, description="ple: levels of experts; more pay on millions of rows only")
    relationship_strength: float = Field(1e-4, ge=0, description="relationship: weight of the tasks' covariance")
    adversary_strength: float = Field(
        0.02, ge=0, description="adversarial: reversed part of the discriminator's gradient; more only makes it swing"
    )
    orthogonality_strength: float = Field(0.05, ge=0, description="adversarial: weight of the trunks' overlap")
    reversal_steps: int = Field(500, ge=1, description="adversarial: training steps until gradients are fully reversed")
    balancing: Method = Field(
        "fixed",
        description="How losses are weighed; fixed weights match the others where tuned (Xin et al. 2022). cagrad and "
        "nashmtl need the extra `gradients`",
    )
    trunk_widths: tuple[int, ...] = Field((128, 96), description="Layers of the shared trunk")
    activation: Literal["norm_silu", "relu"] = Field(
        "norm_silu", description="After each layer of a trunk or expert: LayerNorm and SiLU, or ReLU, which costs less"
    )
    dropout: float = Field(0.2, ge=0, lt=1, description="Dropout in the trunk")
    learning_rate: float = Field(1.5e-3, gt=0, description="AdamW peak step size")
    weight_decay: float = Field(5e-2, ge=0, description="AdamW decay")
    max_epochs: int = Field(4, ge=1, description="Most passes over the data; on validation rows more gain nothing")
    patience: int = Field(1, ge=0, description="Passes without a better validation loss before stopping")
    batch_rows: int = Field(
        4096, ge=64, description="Most rows of all tasks together in one step; small shops take smaller steps, but more"
    )
    seed: int = Field(0, ge=0, description="Seed of initial weights, sampling and dropout")
    device: Literal["auto", "cpu", "cuda"] = Field("auto", description="auto takes a GPU when there is one")

    @model_validator(mode="after")
    def _gradients_need_something_shared(self) -> Self:
        shares_nothing = (
            self.sharing == "single"
            or (self.sharing == "ple" and not self.shared_experts)
            or (self.sharing == "relationship" and len(self.trunk_widths) == 1)  # the last layer is the tasks' own
        )
        if self.balancing in GRADIENT_METHODS and shares_nothing:
            raise ValueError(
                f'balancing = "{self.balancing}" compares gradients where tasks share, but sharing = "{self.sharing}" '
                'shares nothing. Remedy: another sharing, or balancing = "fixed".'
            )
        return self


class ModelConfig(NetworkConfig):
    """The joint model and its training."""

    task_weights: TaskWeights = Field(default_factory=TaskWeights, description="Loss weights by task")
    learning_rates: LearningRates = Field(default_factory=LearningRates, description="Step sizes by head")
    scheme: Literal["joint", "pretrain_then_joint", "alternating"] = Field(
        "joint", description="All tasks in each step; or each task alone first; or one table a step, in turn"
    )
    consistency: ConsistencyConfig = Field(default_factory=ConsistencyConfig, description="Tasks that read tasks")
    pretrain_share: float = Field(
        0.5, gt=0, lt=1, description="Part of max_epochs that pretrain_then_joint spends on the tasks alone"
    )
    id_embedding_width: int = Field(5, ge=1, description="Width of id embeddings; wider only memorises")
    slot_width: int = Field(48, ge=4, description="Width of each encoded entity")
    id_dropout: float = Field(0.5, ge=0, lt=1, description="Share of ids hidden, so that features can stand in")
    warm_max_epochs: int = Field(1, ge=1, description="Most passes when an earlier night's model is the start")
    most_rows: int = Field(
        1_000_000,
        ge=1000,
        description="Rows of one sample table that are in memory at once: of a larger window, a fixed part of its "
        "users, products or orders teaches and measures; predictions are made in parts",
    )
    finish_epochs: int = Field(1, ge=0, description="Passes with the validation window added, at a low step size")
    warm_start: bool | str = Field(
        True,
        description="Start from the latest earlier night's model when it fits; or from that of a run id of this home, "
        "or of a folder, which may be another shop's",
    )

    @field_validator("warm_start", mode="before")
    @classmethod
    def _words_of_the_environment(cls, value: object) -> object:
        try:
            return TypeAdapter(bool).validate_python(value)
        except ValidationError:
            return value

    @model_validator(mode="after")
    def _gradients_need_a_joint_step(self) -> Self:
        if self.balancing in GRADIENT_METHODS and self.scheme == "alternating":
            raise ValueError(
                f'balancing = "{self.balancing}" compares the tasks of one step, but scheme = "alternating" takes one '
                'table a step. Remedy: scheme = "joint", or balancing = "fixed".'
            )
        return self

    @model_validator(mode="after")
    def _what_is_read_is_learned(self) -> Self:
        for link in self.consistency.links:
            source = {"demand": "supply"}.get(link.partition("->")[0], "profile")
            if not getattr(self.task_weights, source):
                raise ValueError(
                    f'consistency.links has "{link}", but task_weights.{source} = 0: what is not learned cannot be '
                    f"read. Remedy: a weight above 0, or no such link."
                )
        return self
