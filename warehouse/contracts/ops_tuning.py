"""The diary of `fivefold tune` (schema `ops`)."""

from __future__ import annotations

from warehouse.contracts.table import Table, flag, integer, moment, number, text

TUNING_TRIALS = Table(
    schema="ops",
    name="tuning_trials",
    grain="One row per trial of `fivefold tune`: settings, trained for few passes, and what came of it.",
    key=("study", "trial_number"),
    columns=(
        text("study", "Trials of one study are comparable: they saw the same samples", required=True),
        integer("trial_number", "Number within the study", required=True),
        text("run_id", "Night whose samples it saw", required=True),
        text(
            "state",
            "completed, pruned (worse than others after as many passes, or settings that do not go together), failed, "
            "interrupted (tried again by the next run) or running",
            one_of=("completed", "pruned", "failed", "interrupted", "running"),
        ),
        flag("is_in_use", "Whether these were the settings in use", required=True),
        number("value", "Mean loss of the heads by their priorities, relative to the baselines; less is better"),
        text("task_losses_json", "Relative loss of each task, as JSON: mean over the windows to validate on"),
        text("parameters_json", "Settings that it tried, as JSON"),
        text("detail", "Why it was not completed, in words"),
        number("seconds", "Wall time", low=0),
        moment("started_at", "Start", required=True),
    ),
)
