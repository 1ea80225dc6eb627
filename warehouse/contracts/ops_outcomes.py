"""What came of earlier nights, and whether tonight still looks like what the model learned from (schema `ops`)."""

from __future__ import annotations

from warehouse.contracts.table import Table, day, flag, integer, number, ratio, text

UNITS = ("score", "ratio", "percent", "units", "money", "contacts", "hours", "minutes", "count")

OUTCOMES = Table(
    schema="ops",
    name="outcomes",
    grain="One row per released night and measure of what it had published, held against what happened since.",
    key=("run_id", "head", "task", "metric"),
    note="Scored anew each night until its window is long past, for data arrive late; gate metrics have the names that "
    "they have in ops.model_metrics.",
    columns=(
        text("run_id", "Night that published the predictions", required=True),
        day("as_of_date", "Its as-of date", required=True),
        text("head", "Head", required=True),
        text("task", "What was predicted", required=True),
        text("metric", "Measure", required=True),
        text("unit", "What the values count; money is in the shop's currency", one_of=UNITS),
        number("value", "What came of the published rows"),
        number("baseline_value", "What the naive baseline would have had on the same rows; empty where there is none"),
        text("baseline", "Which naive baseline"),
        number("promised_value", "What that night had promised; empty where it said nothing"),
        text(
            "promise",
            "gate: the measure on the window that the release hung on; published: the sum or share of the published "
            "rows; design: what a quantile of that name covers",
            one_of=("gate", "published", "design"),
        ),
        flag("is_higher_better", "Which way is good; empty when neither is"),
        integer("sample_count", "Rows measured", low=0),
        day("window_start", "First day of what was predicted", required=True),
        day("window_end", "First day after it", required=True),
        integer("horizon_days", "Days from window_start to window_end", low=1, required=True),
        integer("observed_days", "How many of these have passed", low=0, required=True),
        flag("is_mature", "Whether all of them have; until then value and promise are of the days that passed"),
        flag("is_fallback", "Whether an older model served the head"),
        flag("is_rolled_back", "Whether people took the night back"),
        flag("is_alert", "Whether it crosses a threshold of the settings"),
        day("known_until", "Scored from what was known before this day", required=True),
        text("scored_by", "Night that scored it", required=True),
    ),
)

OUTCOME_CALIBRATION = Table(
    schema="ops",
    name="outcome_calibration",
    grain="One row per released night, probability and bin, once it has matured: predicted against what happened.",
    key=("run_id", "head", "task", "bin"),
    columns=(
        text("run_id", "Night that published the predictions", required=True),
        day("as_of_date", "Its as-of date", required=True),
        text("head", "Head", required=True),
        text("task", "What was predicted", required=True),
        integer("bin", "Bin, 1 is the lowest prediction", required=True, low=1),
        number("predicted_mean", "Mean prediction"),
        number("observed_mean", "Mean of what happened"),
        integer("sample_count", "Rows", low=0),
    ),
)

DRIFT_METRICS = Table(
    schema="ops",
    name="drift_metrics",
    grain="One row per night and feature, prediction or table that was compared with the training window.",
    key=("run_id", "subject", "metric"),
    columns=(
        text("run_id", "Night", required=True),
        text(
            "kind",
            "feature: what the model reads; prediction: what it says; table: all features of a table together",
            one_of=("feature", "prediction", "table"),
        ),
        text("subject", "Feature or prediction as table.column, or the table", required=True),
        text(
            "metric",
            "psi: population stability index over quantile bins of the training window and one of missing values, 0 "
            "where nothing moved; domain_auc: how well tonight's rows are told from those of the training window, 0.5 "
            "where not at all",
            required=True,
            one_of=("psi", "domain_auc"),
        ),
        number("value", "Of tonight's rows"),
        number("measured_value", "Of the rows of the measured window: the drift with which the gates were passed"),
        number("threshold", "Above it, and above the drift of the measured window, is an alert"),
        flag("is_alert", "Whether it is"),
        number("reference_mean", "Mean in the training window; empty for words"),
        number("current_mean", "Mean tonight; empty for words"),
        ratio("reference_missing_ratio", "Share of missing values in the training window"),
        ratio("current_missing_ratio", "Share of missing values tonight"),
        integer("reference_rows", "Rows of the training window", low=0),
        integer("current_rows", "Rows of tonight", low=0),
        text("detail", "What gives it away, in words"),
    ),
)

ALERTS = Table(
    schema="ops",
    name="alerts",
    grain="One row per night and finding about outcomes or drift that a person should look at, gravest first.",
    key=("run_id", "alert_number"),
    note="Alerts stop no night: gates do.",
    columns=(
        text("run_id", "Night that raised it", required=True),
        day("as_of_date", "Its as-of date", required=True),
        integer("alert_number", "1 is the gravest of the night", required=True, low=1),
        text("kind", "What it is about", required=True, one_of=("outcome", "drift")),
        text("head", "Head; empty where several read what drifted"),
        text("subject", "Measure as head.task.metric; or what drifted, as in ops.drift_metrics", required=True),
        text("message", "What was found, in words", required=True),
        text("remedy", "What to do", required=True),
        number("value", "Size of the finding"),
        number("threshold", "What it crosses"),
        text("about_run_id", "Night whose predictions it is about", required=True),
        flag("is_new", "Whether the night before did not raise it", required=True),
    ),
)
