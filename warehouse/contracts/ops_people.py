"""The diary of what people did about the nights (schema `ops`): experiments on them, and their own decisions."""

from __future__ import annotations

from warehouse.contracts.table import Table, day, integer, number, text

_RUN = text("run_id", "Night", required=True)
_METRICS = ("orders", "revenue", "margin", "contacts")

EXPERIMENT_ASSIGNMENTS = Table(
    schema="ops",
    name="experiment_assignments",
    grain="One row per user, experiment and variant: since when the user is treated so.",
    key=("user_id", "experiment", "variant"),
    columns=(
        text("user_id", "User", required=True, pii=True),
        text("experiment", "Experiment; holdout compares the model's decisions with none", required=True),
        text("variant", "Variant; of the holdout: held_out or served", required=True),
        day("assigned_on", "As-of date of the first released night that treated the user so", required=True),
        text("run_id", "That night", required=True),
    ),
)

EXPERIMENT_LIFTS = Table(
    schema="ops",
    name="experiment_lifts",
    grain="One row per night, experiment, variant and metric: what a user of the variant did from the assignment on, "
    "beside one of the control.",
    key=("run_id", "experiment", "variant", "metric"),
    note="Means over users, with 95% intervals (Welch), less what the 84 days before the assignment explain (CUPED).",
    columns=(
        _RUN,
        text("experiment", "Experiment", required=True),
        text("variant", "Variant", required=True),
        text("control_variant", "What it is compared with", required=True),
        text("metric", "Counted per user: orders, money of orders, their margin, contacts", one_of=_METRICS),
        integer("users", "Users of the variant", low=0, required=True),
        integer("control_users", "Users of the control", low=0, required=True),
        number("value_per_user", "Mean of the variant, as counted"),
        number("control_value_per_user", "Mean of the control, as counted"),
        number("lift", "Variant less control, per user, adjusted"),
        number("lift_low", "Lower end of its interval; empty below 30 users on either side"),
        number("lift_high", "Upper end of its interval"),
        number("lift_ratio", "Lift as a share of the control's adjusted mean"),
        number("lift_ratio_low", "Lower end of its interval"),
        number("lift_ratio_high", "Upper end of its interval"),
        number("explained_ratio", "Share of the variance that the days before the assignment explain", low=0, high=1),
        day("first_assigned_on", "First day that counts for anybody"),
        day("until_date", "First day after the last that counts"),
    ),
)

DECISION_EFFECTS = Table(
    schema="ops",
    name="decision_effects",
    grain="One row per night and row of a table in which a person's value stands in for the model's.",
    key=("run_id", "table_name", "object_id"),
    columns=(
        _RUN,
        text("decision_id", "Decision of the feed `decisions`", required=True),
        text("head", "Head whose recommendation it replaces", required=True),
        text("table_name", "Published table", required=True),
        text("object_id", "Key of the row there; parts of a key are joined by |", required=True),
        number("model_value", "What the model would have said: price, units to order or agents"),
        number("decided_value", "What the person said, and the row says"),
        number(
            "expected_gain",
            "Money in 28 days by the model's own curves, of the decision over the model's choice; negative is a cost. "
            "Price: margin; order: margin not lost for want of stock; agents: hours saved",
        ),
        text("value_basis", "margin, revenue where costs are not known, or cost", one_of=("margin", "revenue", "cost")),
        text("overruled", "Guardrail or promise that the decision stands above; empty if none"),
    ),
)

DECISION_COUNTS = Table(
    schema="ops",
    name="decision_counts",
    grain="One row per night and head: what people decided about it in the 28 days before, and what stands tonight.",
    key=("run_id", "head"),
    columns=(
        _RUN,
        text("head", "Head", required=True),
        integer("accepted", "Recommendations accepted", low=0, required=True),
        integer("rejected", "Recommendations rejected", low=0, required=True),
        integer("overridden", "Recommendations overridden", low=0, required=True),
        integer("standing", "Overrides and rejections that hold tonight, however old", low=0, required=True),
        integer("rows_overridden", "Rows of tonight's tables in which a person's value stands", low=0, required=True),
        integer("rows_overruling", "Of these, rows that stand above a guardrail or promise", low=0, required=True),
        number("expected_gain", "Sum of their expected gain, money in 28 days; empty where nothing can be valued"),
    ),
)

PEOPLE_TABLES = (EXPERIMENT_ASSIGNMENTS, EXPERIMENT_LIFTS, DECISION_EFFECTS, DECISION_COUNTS)
