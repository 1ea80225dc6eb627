"""One night, from feeds to published decisions."""

from __future__ import annotations

from datetime import date
from typing import Any

from prefect import Task, flow
from prefect.runtime import flow_run
from prefect.states import Completed, Failed, State
from pydantic import Field

from flows.artifacts import publish_artifacts
from flows.errors import in_words
from flows.flow_runs import on_record
from flows.messages import BUT_NOT_SENT, OBJECT_STORAGE, POSTGRESQL, STOPPED, UNCHANGED, UNSENT
from flows.notify import tell
from flows.progress_bars import ProgressBars
from flows.settings import Settings, load_settings
from flows.steps import Lineage, step
from flows.watch import watchers
from flows.work import Work, at_work
from tasks.build_features import build_features
from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.evaluate_heads import evaluate_heads
from tasks.explain_decisions import explain_decisions
from tasks.gates import GateStopped
from tasks.ingest_feeds import ingest_feeds
from tasks.measure_drift import measure_drift
from tasks.measure_experiments import measure_experiments
from tasks.night import PublishConfig
from tasks.predict_heads import predict_heads
from tasks.publish_release import publish_release
from tasks.publish_to_bucket import publish_to_bucket
from tasks.publish_to_postgres import publish_to_postgres
from tasks.record_outcomes import record_outcomes
from tasks.train_model import train_model
from tasks.validate_feeds import validate_feeds
from tasks.write_report import write_report
from warehouse.contracts import FEEDS, PUBLISHED_TABLES

LINEAGE = Lineage(
    tables=tuple(f"fivefold://predictions/{table.name}" for table in PUBLISHED_TABLES),
    feeds=tuple(f"fivefold://feeds/{feed.name}" for feed in FEEDS),
)
# Every function in the order of the night, with the tags that find its runs in the Prefect UI.
ingest = step(ingest_feeds, "warehouse")
validate = step(validate_feeds, "warehouse", "gate")
build = step(build_features, "warehouse")
train = step(train_model, "model", called="train joint model")
evaluate = step(evaluate_heads, "model", "gate")
predict = step(predict_heads, "model")
drift = step(measure_drift, "model")
decide = step(decide_actions, "decisions")
check = step(check_consistency, "decisions", "gate")
measure = step(measure_experiments, "decisions")
explain = step(explain_decisions, "model")
outcomes = step(record_outcomes, "warehouse")
publish = step(publish_release, "warehouse", "gate", lineage=LINEAGE)
write = step(write_report, "report")
send = step(publish_to_postgres, "warehouse", called="publish to PostgreSQL")
deliver = step(publish_to_bucket, "warehouse", called="publish to object storage")
STEPS = (
    *(ingest, validate, build, train, evaluate, predict, drift),
    *(decide, check, measure, explain, outcomes, publish, write),
)

# Far beyond any sound night on one machine; a night that hangs must not block the next one.
TIMEOUT_SECONDS = 6 * 3600

# The fields of the run form: Prefect shows the description of a `Field` that is the default of a parameter.
AS_OF_DATE: Any = Field(
    None, description="The night knows what happened before this day; empty means tonight, or the end of the data"
)
FORCE: Any = Field(False, description="Run although the same day with the same feeds is already released")
SETTINGS: Any = Field(
    Settings.model_construct(), description="Settings of this night; fivefold.toml and FIVEFOLD_* fill the rest"
)


def _flow_run_name() -> str:
    return f"night of {flow_run.parameters.get('as_of_date') or 'the latest day'}"


@flow(
    name="nightly",
    flow_run_name=_flow_run_name,
    timeout_seconds=TIMEOUT_SECONDS,
    persist_result=False,
    on_completion=[tell],
    on_failure=[tell],
    on_crashed=[tell],
)
def nightly(as_of_date: date | None = AS_OF_DATE, force: bool = FORCE, settings: Settings = SETTINGS) -> State[Any]:
    """Ingest the feeds, validate them, train one joint model, gate its heads, decide and publish.

    The final state is Completed with the run id, `Unchanged` (Completed) when readers already see this night, or
    `Stopped` (Failed) with the gate, what it saw and the remedy; whatever was released before then stays in place.
    `Unsent` (Completed) is a night that readers of the published file see, and readers elsewhere do not yet.
    """
    chosen = load_settings(**settings.model_dump(exclude_unset=True))
    audience = (*watchers(), ProgressBars())
    try:
        steps = [step.name for step in (*STEPS, *_elsewhere(chosen.publish).values())]
        with on_record(chosen.home), at_work(chosen, as_of_date, steps, audience) as work:
            return run_steps(work, force)
    except GateStopped as stop:
        return Failed(name=STOPPED, message=str(stop), data=stop)


def run_steps(work: Work, force: bool) -> State[Any]:
    """The night itself. Tables carry the data from step to step."""
    try:
        ingest(work)
        if not force and work.is_unchanged():
            return _sent(work, Completed(name=UNCHANGED, message=f"nothing has changed since {work.skipped_for}"))
        validate(work)
        build(work)
        train(work)
        evaluate(work)
        predict(work)
        drift(work)
        decide(work)
        check(work)
        measure(work)
        explain(work)
        outcomes(work)
        publish(work)
        # Readers see the night already: a report that fails stands in the log and the diary, and undoes nothing.
        write(work, return_state=True)
        return _sent(work, Completed(message=f"released {work.night.run_id}", data=work.night.run_id))
    finally:
        publish_artifacts(work.con, work.night)


def _sent(work: Work, end: State[Any]) -> State[Any]:
    """The night's end, once it is shown wherever else the settings say. That it cannot be undoes nothing: the next
    night tries again."""
    for place, sender in _elsewhere(work.night.publish).items():
        sending: State[Any] = sender(work, return_state=True)
        if not sending.is_completed():
            error = sending.result(raise_on_failure=False)
            work.left_undone += f"{BUT_NOT_SENT}{place}: {in_words(error)}"
    return Completed(name=UNSENT, message=f"{end.message}{work.left_undone}") if work.left_undone else end


def _elsewhere(publish: PublishConfig) -> dict[str, Task[[Work], object]]:
    """The steps that show a release in other places, by place."""
    places = {POSTGRESQL: (publish.postgres, send), OBJECT_STORAGE: (publish.parquet, deliver)}
    return {place: sender for place, (location, sender) in places.items() if location}
