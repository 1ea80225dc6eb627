"""What nights of a shop of some size would take here."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import duckdb

from flows.settings import Settings
from tasks.planning.amounts import limits_of
from tasks.planning.engine import Advice, advise
from tasks.planning.estimate import Estimate, Pace, estimate
from tasks.planning.ids import bytes_per_id
from tasks.planning.machine import GIB, Machine, this_machine
from tasks.planning.measured import MeasuredNights, load_measured
from tasks.planning.own import OwnNight, read_own_night
from tasks.planning.shop import Shop
from tasks.planning.speed import reference_seconds
from warehouse import lock
from warehouse.connect import open_memory, open_read_only

# On a machine with other work, reference work differs by as much from one time to the next: what is as near is as fast.
AS_FAST = 1.6


@dataclass(frozen=True, kw_only=True)
class Plan:
    """`measured_on` says which nights the estimate rests on, and `ids_gib_per_million_users` what a million known users
    take in training beside their features."""

    estimate: Estimate
    advice: Advice
    machine: Machine
    measured_on: str
    ids_gib_per_million_users: float


def plan(shop: Shop, settings: Settings, hours: float) -> Plan:
    """A first night of the shop, which has so many hours."""
    measured, machine = load_measured(), this_machine(settings.home)
    limits = limits_of(settings.model, settings.features)
    memory_limit = memory_limit_gib(settings.memory_limit)

    def at(pace: Pace, size: Shop) -> Estimate:
        return estimate(size, measured, limits, memory_limit, pace)

    own = own_night(settings.home)
    if own:
        times = sum(own.clock_s.values()) / sum(
            step.clock_s for step in at(Pace(), own.shop).steps if step.step in own.clock_s
        )
        pace = Pace(database=times, model=times)
        basis = f"nights of {measured.machine}; this home's first night, {own.run_id}, took {times:.2f} times as long"
    else:
        pace = pace_of(reference_seconds(), measured)
        as_long = f"the database takes {pace.database:.2f} times as long here, the model {pace.model:.2f} times"
        basis = f"nights of {measured.machine}; {'this machine is as fast' if pace == Pace() else as_long}"
    return Plan(
        estimate=at(pace, shop),
        advice=advise(shop, lambda size: at(pace, size), machine, hours * 3600),
        machine=machine,
        measured_on=f"{basis} ({measured.measured_on})",
        ids_gib_per_million_users=bytes_per_id(settings.model.id_embedding_width) * 1e6 / GIB,
    )


def own_night(home: Path) -> OwnNight | None:
    """The home's first night; None before there is one, while another process is at work, and in homes from before rows
    were balanced."""
    warehouse = home / "warehouse.duckdb"
    with lock.reading(home) as writer:
        if writer or not warehouse.exists():
            return None
        with open_read_only(warehouse) as con:
            try:
                return read_own_night(con)
            except duckdb.CatalogException:
                return None


def pace_of(here_s: dict[str, float], measured: MeasuredNights) -> Pace:
    """This machine's, by how long reference work takes; what hardly differs is the same."""
    times = {kind: seconds / measured.reference_s[kind] for kind, seconds in here_s.items()}
    return Pace(**{kind: 1.0 if 1 / AS_FAST < value < AS_FAST else value for kind, value in times.items()})


def memory_limit_gib(setting: str) -> float:
    """GiB, as the database reads the setting."""
    with open_memory() as con:
        ((size,),) = con.execute("select parse_formatted_bytes($1)", [setting]).fetchall()
    return float(size / GIB)
