"""The pipeline's own diary (schema `ops`): what ran, what was loaded, checked, measured and released."""

from __future__ import annotations

from warehouse.contracts.ops_outcomes import ALERTS, DRIFT_METRICS, OUTCOME_CALIBRATION, OUTCOMES
from warehouse.contracts.ops_people import PEOPLE_TABLES
from warehouse.contracts.ops_rows import LOADS, QUARANTINED_ROWS, ROW_BALANCES
from warehouse.contracts.ops_tuning import TUNING_TRIALS
from warehouse.contracts.table import Column, Table, day, flag, integer, moment, number, text


def _diary(name: str, grain: str, key: tuple[str, ...], *columns: Column) -> Table:
    return Table(schema="ops", name=name, grain=grain, key=key, columns=columns)


_RUN = text("run_id", "Night", required=True)

RUNS = _diary(
    "runs",
    "One row per night that was started.",
    ("run_id",),
    _RUN,
    day("as_of_date", "The night knows what happened before this day", required=True),
    text("source", "Where the feeds came from", required=True),
    text(
        "status",
        "running, released, skipped (nothing had changed), stopped (by a gate), failed or crashed",
        one_of=("running", "released", "skipped", "stopped", "failed", "crashed"),
    ),
    text("stopped_by", "Gate or step that ended it, or what a released night left undone, and why"),
    moment("started_at", "Start", required=True),
    moment("finished_at", "End"),
    text("settings_json", "Settings that it ran with, secrets left out"),
    text("code_version", "Version of the application"),
    text("inputs_hash", "Hash of every input in the warehouse at its end; equal hashes mean equal feeds"),
    text("model_hash", "SHA-256 of its model's description, which has that of the weights; another model is refused"),
    text("pseudonym_key", "Fingerprint of the key under which it keeps ids of people; empty: ids are as delivered"),
)

RUN_STEPS = _diary(
    "run_steps",
    "One row per step of a night.",
    ("run_id", "step"),
    _RUN,
    text("step", "Step", required=True),
    text("status", "completed or failed", one_of=("completed", "failed")),
    moment("started_at", "Start", required=True),
    number("seconds", "Wall time", low=0),
    text("detail", "What it did, in words"),
)

ERASED_USERS = _diary(
    "erased_users",
    "One row per user who was erased, so that no later file brings the user back.",
    ("user_hash",),
    text("user_hash", "SHA-256 of the user id; the id itself is forgotten", required=True),
    moment("erased_at", "When erasure was asked for"),
    text("run_id", "Night that erased the user", required=True),
    moment("forgotten_at", "When the last file that had named the user was written anew; empty until then"),
)

QUALITY_CHECKS = _diary(
    "quality_checks",
    "One row per rule checked in a night.",
    ("run_id", "table_name", "rule"),
    _RUN,
    text("table_name", "Feed or table", required=True),
    text("rule", "Rule of the contract", required=True),
    text("meaning", "What it promises, in words"),
    text("expectation", "Great Expectations expectation that checked it"),
    text("severity", "critical, warning or info", one_of=("critical", "warning", "info")),
    text("scope", "row or table", one_of=("row", "table")),
    flag("is_passed", "Whether it held", required=True),
    integer("rows_checked", "Rows looked at", low=0),
    integer("rows_broken", "Rows that break it", low=0),
    text("detail", "What was seen instead"),
    moment("checked_at", "When", required=True),
)

HEAD_STATUS = _diary(
    "head_status",
    "One row per head and night.",
    ("run_id", "head"),
    _RUN,
    text("head", "Head", required=True),
    text(
        "status",
        "released, champion (an older model serves), not_ready (feeds missing or thin), not_released (lost to naive, "
        "or nothing to measure it by or to say)",
        one_of=("released", "champion", "not_ready", "not_released"),
    ),
    text("reason", "Why, in words", required=True),
    text("model_version", "Model that serves the head"),
    integer("training_rows", "Rows with a label that it learned from", low=0),
)

MODEL_METRICS = _diary(
    "model_metrics",
    "One row per head, metric and night, measured on the last fully observed window.",
    ("run_id", "head", "task", "metric"),
    _RUN,
    text("head", "Head", required=True),
    text("task", "What was predicted", required=True),
    text("metric", "Measure", required=True),
    number("value", "Of the joint model"),
    number("baseline_value", "Of the naive baseline"),
    text("baseline", "Which naive baseline"),
    number("single_task_value", "Of the same network trained on this task alone; empty unless measured"),
    number("champion_value", "Of the model in service; empty on a first night"),
    flag("is_higher_better", "Which way is good; empty when neither is", required=False),
    flag("is_gate", "Whether the release of the head hangs on it", required=True),
    integer("sample_count", "Rows measured", low=0),
    day("window_start", "First day of the window"),
    day("window_end", "First day after it"),
)

CALIBRATION = _diary(
    "calibration",
    "One row per head, task and bin: predicted against seen.",
    ("run_id", "head", "task", "bin"),
    _RUN,
    text("head", "Head", required=True),
    text("task", "What was predicted", required=True),
    integer("bin", "Bin, 1 is the lowest prediction", required=True),
    number("predicted_mean", "Mean prediction"),
    number("observed_mean", "Mean of what happened"),
    integer("sample_count", "Rows", low=0),
)

CALIBRATION_EFFECTS = _diary(
    "calibration_effects",
    "One row per probability and per level of a quantile: what calibration changed on the last fully observed window.",
    ("run_id", "head", "task", "measure"),
    _RUN,
    text("head", "Head", required=True),
    text("task", "What was predicted", required=True),
    text(
        "measure",
        "calibration_error: mean distance of predicted from observed shares over ten bins; coverage_p10, ...: share of "
        "rows at or below the quantile, counts spread over one unit",
        required=True,
    ),
    number("uncalibrated", "Before"),
    number("calibrated", "After: of what is served"),
    number("wanted", "What a perfectly calibrated model would have"),
    integer("learned_from", "Rarer outcomes, or rows, of the validation window it was learned from", low=0),
    text("reason", "Why nothing was changed; empty where something was"),
)

TASK_INTERACTIONS = _diary(
    "task_interactions",
    "One row per ordered pair of tasks.",
    ("run_id", "task", "other_task"),
    _RUN,
    text("task", "Task", required=True),
    text("other_task", "Other task", required=True),
    number("gradient_cosine", "Mean cosine of their gradients at the shared features", low=-1.001, high=1.001),
    number(
        "gain_over_single",
        "Gain of task from learning with other_task: how much greater its loss is without it, as a ratio; empty unless "
        "measured (fivefold tune --leave-one-out)",
    ),
    number("learned_correlation", "Correlation that sharing = relationship learned", low=-1.001, high=1.001),
)

EXPERT_SHARES = _diary(
    "expert_shares",
    "One row per task and expert, where tasks share by experts (mmoe, ple).",
    ("run_id", "task", "expert"),
    _RUN,
    text("task", "Task", required=True),
    text("expert", "own_1, ...: of the task alone; shared_1, ...: of all tasks", required=True),
    number("share", "Mean share of the expert in what the task's rows get", low=0, high=1.001),
)

EXPLANATIONS = _diary(
    "explanations",
    "One row per explained decision and reason, of one night; integrated gradients of the model's output.",
    ("run_id", "table_name", "object_id", "rank"),
    _RUN,
    text("table_name", "Table of schema predictions that the decision is in", required=True),
    text("head", "Head that it rests on", required=True),
    text("object_id", "Key of the row there; parts of a key are joined by |", required=True),
    integer("rank", "1 is the main reason", required=True, low=1),
    text("measure", "What is explained"),
    text("feature", "Feature as place.column, which speaks for all that say much the same; or what these are about"),
    text("value", "Its value, in its own unit; the mean where the decision rests on several rows"),
    number("attribution", "What it adds to the output, in log odds, log units or elasticity"),
    number("output", "What the model said, before calibration"),
    number("reference_output", "What it says where every feature is average; all attributions sum to the difference"),
    flag("is_complete", "Whether they do, within 5%"),
    text("sentence", "The reason in words"),
)

CONSISTENCY_CHECKS = _diary(
    "consistency_checks",
    "One row per promise between heads.",
    ("run_id", "promise"),
    _RUN,
    text("promise", "Promise", required=True),
    text("meaning", "In words"),
    flag("is_kept", "Whether no row breaks it", required=True),
    integer("violations", "Rows that break it", low=0),
    text("example", "One of them"),
)

RELEASES = _diary(
    "releases",
    "One row per change of what readers see: a release or a rollback.",
    ("release_number",),
    integer("release_number", "Counts up", required=True),
    text("run_id", "Night that readers see from then on", required=True),
    day("as_of_date", "Its as-of date"),
    text("file_name", "Published file"),
    text("kind", "release or rollback", one_of=("release", "rollback")),
    text("reason", "Why"),
    text("released_by", "Who"),
    moment("released_at", "When", required=True),
    flag("is_current", "Whether readers see it now", required=True),
)

OPS_TABLES = (
    RUNS,
    RUN_STEPS,
    LOADS,
    ROW_BALANCES,
    ERASED_USERS,
    QUALITY_CHECKS,
    QUARANTINED_ROWS,
    HEAD_STATUS,
    MODEL_METRICS,
    CALIBRATION,
    CALIBRATION_EFFECTS,
    TASK_INTERACTIONS,
    EXPERT_SHARES,
    TUNING_TRIALS,
    EXPLANATIONS,
    DRIFT_METRICS,
    CONSISTENCY_CHECKS,
    OUTCOMES,
    OUTCOME_CALIBRATION,
    ALERTS,
    *PEOPLE_TABLES,
    RELEASES,
)
