"""One night: what every task needs to know, and where everything lies."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from mtl_models.config import Frozen, ModelConfig
from tasks.experiment_settings import ExperimentsConfig
from tasks.postgres_settings import PostgresConfig, Secrets
from warehouse.object_storage.store import check_location
from warehouse.postgres.address import parse_address, refuse_secrets
from warehouse.sources.base import SourceOptions


class ValidationConfig(Frozen):
    """Checks of the feeds."""

    build_data_docs: bool = Field(True, description="Write Great Expectations Data Docs")
    quarantine_row_limit: int = Field(
        100_000,
        ge=0,
        description="Most rows of one feed kept in ops.quarantined_rows a night; the rest is counted",
    )
    unpacked_gigabytes: float = Field(
        20.0,
        gt=0,
        description="Most that one Parquet or compressed file of a feed may unpack to; a larger one is refused before "
        "it fills the disk",
    )


class FeatureConfig(Frozen):
    """Cut-offs and sizes of the training samples."""

    horizon_days: int = Field(28, ge=7, multiple_of=7, description="Days that labels look ahead")
    train_cutoffs: int = Field(6, ge=1, description="Training cut-offs, one every horizon, newest first")
    demand_train_cutoffs: int = Field(15, ge=1, description="Training cut-offs of demand, one every two weeks")
    recommendation_train_cutoffs: int = Field(2, ge=1, description="Of these, how many train the recommendation")
    warm_demand_train_cutoffs: int = Field(
        6, ge=1, description="The same when yesterday's model, which learned from the older ones, is the start"
    )
    warm_recommendation_train_cutoffs: int = Field(
        1, ge=1, description="Cut-offs that train the recommendation when yesterday's model is the start"
    )
    minimum_history_days: int = Field(
        70,
        ge=7,
        description="No cut-off earlier than this after the first order; a young shop gives a quarter of its history",
    )
    demand_products: int = Field(2000, ge=1, description="Best-selling products that train the demand curve")
    candidates_per_user: int = Field(160, ge=20, description="Products ranked for each user")
    similarity_products: int = Field(3000, ge=10, description="Best-selling products in the item-item matrix")


class PricingConfig(Frozen):
    """Guardrails where `pricing_rules` says nothing."""

    maximum_change_ratio: float = Field(0.10, gt=0, lt=1, description="Largest change of a price in one night")
    price_endings: tuple[str, ...] = Field((".99", ".49"), description="Allowed endings of a price")
    grid_steps: int = Field(9, ge=3, description="Prices tried for each product")
    minimum_margin_ratio: float = Field(0.05, ge=0, lt=1, description="Smallest margin, where costs are known")


class RecommendationConfig(Frozen):
    """Lists where `recommendation_rules` says nothing."""

    list_length: int = Field(20, ge=1, description="Products in each list")
    exploration_ratio: float = Field(0.0, ge=0, le=0.5, description="Share of positions used to learn")
    order_by: Literal["margin", "purchases"] = Field(
        "margin", description="What lists earn most of: expected margin where costs are known, or expected purchases"
    )
    minimum_in_stock_probability: float = Field(
        0.5, ge=0, lt=1, description="Products less likely to be in stock in the coming week are not shown"
    )


class ReplenishmentConfig(Frozen):
    """Policy where `inventory_policies` says nothing."""

    service_level: float = Field(0.95, gt=0.5, lt=1, description="Share of cycles without a stock-out")
    review_days: int = Field(7, ge=1, description="Days between two orders")
    lead_time_days: int = Field(7, ge=0, description="Days from order to receipt where no history exists")
    holding_cost_ratio: float | None = Field(
        None,
        gt=0,
        description="Cost of holding stock for a year as a share of its value; with it, and where costs are known, "
        "the service level weighs a lost margin against it",
    )
    order_line_cost: float | None = Field(
        None,
        ge=0,
        description="Money that one line of an order to a supplier costs; with it and holding_cost_ratio, orders are "
        "at least as large as is economic",
    )


class StaffingConfig(Frozen):
    """Promise of customer service where `service_policies` says nothing."""

    answered_in_time_ratio: float = Field(0.8, gt=0, lt=1, description="Share of contacts answered in time")
    answer_within_minutes: float = Field(20, gt=0, description="What in time means")
    maximum_occupancy_ratio: float = Field(0.85, gt=0, lt=1, description="Busiest an agent may be")
    open_hours_per_day: float = Field(10, gt=0, le=24, description="Hours over which a day's contacts spread")
    solve_within_minutes: float = Field(2880, gt=0, description="Minutes until a contact must be solved")
    agent_hour_cost: float = Field(30.0, ge=0, description="Money that an hour of an agent costs")
    message_cost: float = Field(0.10, ge=0, description="Money that a proactive message costs")
    message_effect_ratio: float = Field(
        0.3, ge=0, le=1, description="Share of questions before the delivery that a proactive message saves"
    )


class DecisionConfig(Frozen):
    """How predictions become decisions."""

    pricing: PricingConfig = Field(default_factory=PricingConfig, description="Prices")
    recommendation: RecommendationConfig = Field(default_factory=RecommendationConfig, description="Lists")
    replenishment: ReplenishmentConfig = Field(default_factory=ReplenishmentConfig, description="Orders")
    staffing: StaffingConfig = Field(default_factory=StaffingConfig, description="Agents")


class ExplanationConfig(Frozen):
    """How many decisions are explained; the action queue always is."""

    rows_per_table: int = Field(200, ge=0, description="Top rows of each published table that are explained")
    rows_per_action: int = Field(
        25, ge=1, description="Users whose reasons are averaged for an action about many, such as a campaign"
    )


class PublishConfig(Frozen):
    """The published file, and a PostgreSQL and a bucket that get the same tables."""

    keep_releases: int = Field(14, ge=1, description="Published files kept for rollback")
    postgres: str = Field(
        "",
        description="Database that gets every release too, such as postgresql://USER@HOST/DATABASE; empty means none",
    )
    postgres_schema: str = Field(
        "predictions", min_length=1, description="Schema of the tables there; each home has one of its own"
    )
    postgres_readers: str = Field("", description="Role that may read them; empty grants nothing")
    postgres_password_block: str = Field(
        "",
        description="Prefect Secret block with the password; without one, PGPASSWORD or the passfile has it",
    )

    parquet: str = Field(
        "",
        description="Where every release goes as Parquet too: s3://BUCKET/PREFIX or a folder; empty means nowhere",
    )

    @field_validator("parquet")
    @classmethod
    def _is_a_location(cls, parquet: str) -> str:
        refuse_secrets(parquet)
        check_location(parquet)
        return parquet

    @field_validator("postgres")
    @classmethod
    def _is_an_address(cls, postgres: str) -> str:
        if postgres:
            parse_address(postgres)
        return postgres


class MonitoringConfig(Frozen):
    """What came of earlier nights, and drift: how much is looked at, and what a person is told."""

    sample_rows: int = Field(
        5000,
        ge=200,
        description="Users, products, orders and so on of each night that are kept to be scored, always the same ones; "
        "and rows of each table that are compared with the training window",
    )
    late_days: int = Field(14, ge=0, description="Days after its window in which a prediction is scored anew")
    minimum_rows: int = Field(200, ge=2, description="Fewer rows raise no alert")
    lost_lead_ratio: float = Field(
        0.5,
        gt=0,
        le=1,
        description="A gate's measure that has lost more than this share of its promised lead over naive is an alert, "
        "as is one that naive beats",
    )
    total_tolerance_ratio: float = Field(
        0.2, gt=0, description="A total or rate that came out this much more or less than was published is an alert"
    )
    coverage_tolerance: float = Field(
        0.1, gt=0, lt=1, description="A quantile that covers this much more or less than was promised is an alert"
    )
    psi_threshold: float = Field(
        0.25, gt=0, description="A feature or prediction that has moved further, by its PSI, is an alert"
    )
    domain_auc_threshold: float = Field(
        0.75, gt=0.5, lt=1, description="A table whose rows can be told from the training window's better is an alert"
    )


class Night(Frozen):
    """One night's identity, folders and settings; immutable, and small enough to pass to every task."""

    run_id: str
    as_of_date: date
    source: str
    home: Path
    time_zone: str = "UTC"
    currency: str = "USD"
    threads: int | None = None
    memory_limit: str = "4GB"
    engine: Literal["local", "ray"] = "local"
    engine_address: str = "local"
    validation: ValidationConfig = Field(default_factory=ValidationConfig)
    features: FeatureConfig = Field(default_factory=FeatureConfig)
    model: ModelConfig = Field(default_factory=ModelConfig)
    decisions: DecisionConfig = Field(default_factory=DecisionConfig)
    experiments: ExperimentsConfig = Field(default_factory=ExperimentsConfig)
    explanations: ExplanationConfig = Field(default_factory=ExplanationConfig)
    publish: PublishConfig = Field(default_factory=PublishConfig)
    monitoring: MonitoringConfig = Field(default_factory=MonitoringConfig)
    postgres: PostgresConfig = Field(default_factory=PostgresConfig)
    secrets: Secrets = Field(default_factory=Secrets, exclude=True, repr=False)

    @property
    def source_options(self) -> SourceOptions:
        """How a source is read that is a database or in a bucket."""
        return self.postgres.options(self.secrets)

    @property
    def warehouse_path(self) -> Path:
        """The writer's database."""
        return self.home / "warehouse.duckdb"

    @property
    def published_link(self) -> Path:
        """The link that readers open."""
        return self.home / "published.duckdb"

    @property
    def published_folder(self) -> Path:
        """Where the immutable published files lie."""
        return self.home / "published"

    @property
    def model_folder(self) -> Path:
        """This night's model."""
        return self.home / "models" / self.run_id

    @property
    def data_docs_folder(self) -> Path:
        """Great Expectations Data Docs."""
        return self.home / "data_docs"
