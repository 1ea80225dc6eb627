"""Score a scenario: the night's own build, model, decisions and promises, over what the scenario changes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

import duckdb
import polars as pl

from tasks.build_features import variables
from tasks.check_consistency import judge_promises
from tasks.decide_actions import decide_actions
from tasks.decisions import service
from tasks.decisions.context import is_served, prepare, run_step
from tasks.night import Night
from tasks.predict_heads import predict_tables
from tasks.progress import report
from tasks.scenarios.check import check_question
from tasks.scenarios.question import Question
from warehouse import build
from warehouse.connect import read_sql
from warehouse.contracts import OPS_TABLES, PUBLISHED_TABLES
from warehouse.contracts.ddl import create_all

# In the order in which they are compared: sums over the shop come last.
COMPARED = ("demand", "products", "orders", "recommendations", "contacts", "summaries")

# What names a row of each table that a scenario predicts anew.
_PREDICTED_KEYS = {
    "demand": "product_id, site_id, week_start",
    "recommendation": "user_id, product_id",
    "service_days": "forecast_date, channel, contact_reason",
}


@dataclass(frozen=True, kw_only=True)
class ScenarioReport:
    """What was found; the rows lie in the temporary tables scenario_<table> of `COMPARED`. `left_out` says which
    products of a category could not take part, `broken_promises` what no night would release."""

    scenario_id: str
    left_out: tuple[str, ...]
    broken_promises: tuple[str, ...]


def score_scenario(con: duckdb.DuckDBPyConnection, night: Night, question: Question) -> ScenarioReport:
    """Decide the night anew as if the question had come true, and compare; `con` is an overlay over the warehouse that
    holds the night (`warehouse.connect.open_overlay`).

    ScenarioError when the question has no answer.
    """
    build.set_variables(con, variables(night, is_warm=False))
    prepare(con, night)
    left_out = check_question(con, night, question)
    _hold_apart(con)
    if question.promotions:
        report("announcing promotions", 0.1)
        _announce(con, night)
    con.execute(read_sql("scenarios/steps/asked_decisions.sql"))
    report("deciding", 0.3)
    decide_actions(con, night)
    _let_contacts_follow(con, night)
    report("comparing", 0.9)
    broken = tuple(f"{promise.meaning} {example}" for promise, (count, example) in judge_promises(con).items() if count)
    told = {
        "question": str(question),
        "asked_at": datetime.now(UTC).replace(tzinfo=None),
        "broken_promises": len(broken),
        "first_broken_promise": broken[0] if broken else None,
    }
    for name, value in told.items():
        con.execute(f"set variable {name} = $1", [value])
    con.execute(read_sql("scenarios/steps/weeks.sql"))
    for table in COMPARED:
        con.execute(f"create or replace temp table scenario_{table} as {read_sql(f'scenarios/{table}.sql')}")
    return ScenarioReport(
        scenario_id=question.scenario_id(night.run_id), left_out=tuple(left_out), broken_promises=broken
    )


def _hold_apart(con: duckdb.DuckDBPyConnection) -> None:
    """Tables of the scenario's own for what decisions write: published ones empty, the diary as the night left it."""
    create_all(con, PUBLISHED_TABLES)
    for table in OPS_TABLES:
        con.execute(f"create table scenario.{table.qualified_name} as from night.{table.qualified_name}")
    con.execute(
        "create temp table promoted_weeks (product_id varchar, site_id varchar, forecast_date date, mean_ratio double)"
    )


def _announce(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Build and predict anew what knows of the promotions: demand of their products, and who buys them."""
    con.execute(read_sql("scenarios/steps/announced.sql"))
    build.run_files(con, build.PROMOTION_FILES, lambda file: report(file, 0.1))
    con.execute(read_sql("scenarios/steps/promoted_samples.sql"))
    _predict_again(con, night, ("demand", "recommendation"))
    con.execute(read_sql("scenarios/steps/promoted_weeks.sql"))
    run_step(con, "priced_products")


def _let_contacts_follow(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Staff for the contacts of the orders that the scenario's demand makes; as they are where it makes no others."""
    if not is_served(con, night, "service", "service_days"):
        return
    con.execute(read_sql("scenarios/steps/ordering_ratios.sql"))
    if not con.execute("from ordering_ratios where ratio <> 1").fetchall():
        return
    con.execute(read_sql("scenarios/steps/service_samples.sql"))
    _predict_again(con, night, ("service_days",))
    con.execute("delete from predictions.service_forecasts")
    if is_served(con, night, "order_risks", "service_orders"):
        run_step(con, "late_contacts")
    service.staff(con, night)


def _predict_again(con: duckdb.DuckDBPyConnection, night: Night, tables: tuple[str, ...]) -> None:
    """Predict these tables from the scenario's samples; what those do not name stays as the night predicted it."""
    predicted: dict[str, list[pl.DataFrame]] = {}
    for table, part in predict_tables(con, night, tables):
        predicted.setdefault(table, []).append(part)
    for table, parts in predicted.items():
        con.register("predicted_again", pl.concat(parts).to_arrow())
        con.execute(
            f"""create or replace table predicted.{table} as
            select * from night.predicted.{table} anti join predicted_again using ({_PREDICTED_KEYS[table]})
            union all by name
            select * from predicted_again"""
        )
        con.unregister("predicted_again")
