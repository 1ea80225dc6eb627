"""Holdout and experiments: who is treated how tonight, and since when."""

from __future__ import annotations

import duckdb

from mtl_models.decisions.assignment import parts
from tasks.experiment_settings import HELD_OUT, HOLDOUT, Experiment, ExperimentsConfig
from tasks.night import Night

_ARMS = """create or replace temp table experiment_arms (
    experiment varchar, salt varchar, variant varchar, low double, high double,
    starts_on date, ends_on date, exploration_ratio double, order_by varchar
)"""


def tell_groups(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    """Make holdout and experiments known to SQL: variables of the holdout and the table `experiment_arms`."""
    settings = night.experiments
    has_begun = settings.holdout_starts_on is None or settings.holdout_starts_on <= night.as_of_date
    con.execute("set variable holdout_salt = $1", [settings.holdout_salt])
    con.execute("set variable holdout_ratio = $1", [settings.holdout_ratio if has_begun else 0.0])
    con.execute(_ARMS)
    if arms := [arm for test in settings.tests for arm in _arms(test)]:
        con.executemany("insert into experiment_arms values ($1, $2, $3, $4, $5, $6, $7, $8, $9)", arms)


def _arms(test: Experiment) -> list[tuple[object, ...]]:
    """Each variant with its part of the unit interval, one after the other."""
    return [
        (
            test.name,
            test.key,
            variant.name,
            low,
            high,
            test.starts_on,
            test.ends_on,
            variant.exploration_ratio,
            variant.order_by,
        )
        for variant, (low, high) in zip(test.variants, parts([arm.share for arm in test.variants]), strict=True)
    ]


def controls(settings: ExperimentsConfig) -> list[tuple[object, ...]]:
    """(experiment, control variant, first day after it or None) of the holdout and every experiment."""
    tests = [(test.name, test.variants[0].name, test.ends_on) for test in settings.tests]
    return [*([(HOLDOUT, HELD_OUT, None)] if settings.holdout_ratio > 0 else []), *tests]
