"""What the Prefect page shows of a tune: the best settings, the best trials, and what tasks learn from each other."""

from __future__ import annotations

from flows.artifacts import publish_markdown, publish_table
from flows.settings_file import toml
from tasks.leave_one_out import Gains, losses_without
from tasks.search_space import tuned_settings
from tasks.tune_model import by_head
from tasks.tuning_study import Record, Study

# Enough for a page; the rest is in ops.tuning_trials.
SHOWN_TRIALS = 20


def publish_trials(study: Study) -> None:
    """Put the best settings, as a settings file has them, and the best trials on the flow run's page."""
    records = sorted(study.records(), key=lambda record: (record.value is None, record.value or 0.0))
    if records and records[0].value is not None:
        publish_markdown("tuning-best", _best(records), "The best settings so far")
    rows = [_row(record) for record in records[:SHOWN_TRIALS]]
    publish_table("tuning-trials", rows, "The best trials first; a value below 1 beats the baselines")


def publish_gains(gains: Gains) -> None:
    """Put on the page who learns from whom."""
    publish_table("tuning-gains", losses_without(gains), "How each task's loss changes without another")


def _best(records: list[Record]) -> str:
    best, beside = records[0], ""
    if best.is_in_use:
        beside = " with the settings in use"
    elif in_use := [record.value for record in records if record.is_in_use and record.value]:
        beside = f"; the settings in use: {in_use[0]:.4f}"
    return "\n\n".join(
        [
            f"# Value {best.value:.4f}",
            f"Trial {best.number} of {len(records)}{beside}. For `fivefold.toml`:",
            f"```toml\n{toml({'model': tuned_settings(best.parameters)})}\n```",
        ]
    )


def _row(record: Record) -> dict[str, object]:
    """Its losses only where they are of all windows, so that they can be compared."""
    return {
        "trial": record.number,
        "state": "in use" if record.is_in_use else record.state,
        "value": record.value,
        **(by_head(record.losses) if record.value is not None else {}),
        "seconds": record.seconds,
        **record.parameters,
        "detail": record.detail,
    }
