"""What a night needs, looked at one by one, each with a remedy where it is missing."""

from __future__ import annotations

import os
import shutil
import stat
import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import metadata
from typing import Literal

import duckdb
from packaging.requirements import Requirement

from flows.look import NothingPublished, query_published
from flows.secrets import load_secrets, open_settings_source
from flows.settings import Settings
from tasks.planning.machine import nearest_existing
from warehouse import lock
from warehouse.object_storage import store
from warehouse.postgres.address import parse_address
from warehouse.postgres.session import FAILURES, Session
from warehouse.sources import FeedError

_GIB = 1 << 30
# A year of a middling shop: warehouse, published files, spilled memory.
_COMFORTABLE_DISK, _SMALLEST_DISK = 5 * _GIB, 1 * _GIB


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One look: PASS, WARN (a night runs, but) or FAIL (no night); what was seen and, unless it passed, the remedy."""

    verdict: Literal["PASS", "WARN", "FAIL"]
    subject: str
    seen: str
    remedy: str = ""

    def __str__(self) -> str:
        remedy = f". Remedy: {self.remedy}" if self.remedy else ""
        return f"{self.verdict}  {self.subject:<10} {self.seen}{remedy}"


def examine(settings: Settings) -> list[Finding]:
    """Everything that a night needs, in the order in which it needs it."""
    looks: tuple[Callable[[Settings], Finding], ...] = (
        python, packages, torch_device, engine, disk, home, writer, source, published, postgres, bucket, prefect_server,
        stuck_runs,
    )  # fmt: skip
    return [look(settings) for look in looks]


def python(_: Settings) -> Finding:
    """The interpreter is one that the pinned packages support."""
    seen = sys.version.split()[0]
    if (3, 11) <= sys.version_info[:2] < (3, 13):
        return Finding(verdict="PASS", subject="python", seen=seen)
    return Finding(verdict="FAIL", subject="python", seen=seen, remedy="use Python 3.11 or 3.12")


def packages(_: Settings) -> Finding:
    """Every requirement is installed in a version that is known to work."""
    requirements = [Requirement(line) for line in metadata.requires("fivefold") or ()]
    wrong = [said for item in requirements if item.marker is None and (said := _wrong_version(item))]
    if not wrong:
        return Finding(verdict="PASS", subject="packages", seen=f"fivefold {metadata.version('fivefold')}")
    return Finding(
        verdict="FAIL",
        subject="packages",
        seen="; ".join(wrong),
        remedy="make install, or pip install . -c constraints.txt",
    )


def torch_device(settings: Settings) -> Finding:
    """The device that the model would train on is there."""
    import torch

    wanted = settings.model.device
    has_gpu = torch.cuda.is_available()
    if wanted == "cuda" and not has_gpu:
        return Finding(
            verdict="FAIL",
            subject="device",
            seen="model.device is cuda, and torch sees no GPU",
            remedy='set model.device = "auto", or install a torch build for your GPU',
        )
    seen = torch.cuda.get_device_name() if has_gpu and wanted != "cpu" else f"cpu, {torch.get_num_threads()} threads"
    return Finding(verdict="PASS", subject="device", seen=f"torch {torch.__version__} on {seen}")


def engine(settings: Settings) -> Finding:
    """What the heavy part of a night runs on is there: with a Ray cluster, its nodes."""
    if settings.engine == "local":
        return Finding(verdict="PASS", subject="engine", seen="local, the night's own process")
    from tasks.engine import cluster

    try:
        if settings.engine_address == cluster.STARTED_HERE:
            return Finding(verdict="PASS", subject="engine", seen=f"ray {cluster.version()}, started with each night")
        cluster.join(settings.engine_address)
        nodes = cluster.nodes()
    except cluster.ClusterError as error:
        return _unreached("engine", error)
    alive = sum(node.is_alive for node in nodes)
    seen = f"ray at {settings.engine_address}, {alive} of {len(nodes)} nodes alive: {'; '.join(map(str, nodes))}"
    if alive == len(nodes):
        return Finding(verdict="PASS", subject="engine", seen=seen)
    return Finding(
        verdict="WARN", subject="engine", seen=seen, remedy="start the others again; nights go on without them"
    )


def disk(settings: Settings) -> Finding:
    """There is room for the home folder to grow."""
    free = shutil.disk_usage(nearest_existing(settings.home)).free
    seen = f"{free / _GIB:.1f} GiB free for {settings.home.resolve()}"
    if free >= _COMFORTABLE_DISK:
        return Finding(verdict="PASS", subject="disk", seen=seen)
    return Finding(
        verdict="WARN" if free >= _SMALLEST_DISK else "FAIL",
        subject="disk",
        seen=seen,
        remedy="make room, lower publish.keep_releases, or move the home folder",
    )


def home(settings: Settings) -> Finding:
    """The home folder can be written, and looked into by its account and group only."""
    folder = nearest_existing(settings.home)
    if settings.home.is_dir() and folder.stat().st_mode & stat.S_IRWXO:
        return Finding(
            verdict="WARN",
            subject="home",
            seen=f"{settings.home.resolve()} is open to every account of this machine",
            remedy=f"chmod -R o-rwx {settings.home.resolve()}",
        )
    if folder.is_dir() and os.access(folder, os.W_OK | os.X_OK):
        return Finding(verdict="PASS", subject="home", seen=f"{settings.home.resolve()} is writable")
    return Finding(
        verdict="FAIL",
        subject="home",
        seen=f"{folder} is not a folder that {os.geteuid()} may write",
        remedy="correct its owner or mode, or choose another with --home",
    )


def writer(settings: Settings) -> Finding:
    """Nobody is at work, and whoever was has signed off."""
    owner = lock.current_owner(settings.home)
    if owner:
        return Finding(
            verdict="WARN",
            subject="writer",
            seen=f"{owner} is at work",
            remedy="wait until it has ended, or end that process",
        )
    left = lock.abandoned_by(settings.home)
    seen = f"free; {left} was killed, its run will be marked as crashed by the next night" if left else "free"
    return Finding(verdict="PASS", subject="writer", seen=seen)


def source(settings: Settings) -> Finding:
    """The feeds are where the settings say."""
    try:
        latest = open_settings_source(settings).latest_as_of()
    except FeedError as error:
        return Finding(verdict="FAIL", subject="source", seen=error.problem.rstrip("."), remedy=error.remedy)
    except (*FAILURES, *store.FAILURES) as error:
        return _unreached("source", error)
    return Finding(verdict="PASS", subject="source", seen=f"{settings.source} has orders before {latest}")


def published(settings: Settings) -> Finding:
    """What readers open can be read."""
    try:
        _, rows = query_published(settings.home, "select run_id from ops.releases where is_current")
    except NothingPublished:
        return Finding(verdict="PASS", subject="published", seen="nothing yet; the first night publishes")
    except duckdb.Error as error:
        return Finding(
            verdict="FAIL", subject="published", seen=str(error), remedy='fivefold rollback --reason "unreadable file"'
        )
    return Finding(verdict="PASS", subject="published", seen=f"readers see {rows[0][0] if rows else 'no release'}")


def postgres(settings: Settings) -> Finding:
    """The database that gets every release is reached, where one is named."""
    if not settings.publish.postgres:
        return Finding(verdict="PASS", subject="postgres", seen="nothing is published there")
    try:
        password = load_secrets(settings).publish_password
        plain = password.get_secret_value() if password else None
        with Session(parse_address(settings.publish.postgres), plain) as session:
            return Finding(verdict="PASS", subject="postgres", seen=f"{session.database} on {session.server} answers")
    except FAILURES as error:
        return _unreached("postgres", error)


def bucket(settings: Settings) -> Finding:
    """What gets every release as Parquet is reached, where one is named; whether it may be written is not tried."""
    location = settings.publish.parquet
    if not location:
        return Finding(verdict="PASS", subject="bucket", seen="nothing is published there")
    try:
        store.Store(location, load_secrets(settings).s3_keys).top()
    except store.FAILURES as error:
        return _unreached("bucket", error)
    return Finding(verdict="PASS", subject="bucket", seen=f"{location} answers")


def prefect_server(_: Settings) -> Finding:
    """The configured Prefect server answers; without one, each night starts its own."""
    from prefect.settings import PREFECT_API_URL, PREFECT_HOME

    from flows.prefect_server import is_healthy

    address = PREFECT_API_URL.value()
    if not address:
        return Finding(
            verdict="PASS", subject="prefect", seen=f"no server set; temporary ones keep {PREFECT_HOME.value()}"
        )
    if is_healthy(address):
        return Finding(verdict="PASS", subject="prefect", seen=f"server at {address}")
    return Finding(
        verdict="FAIL",
        subject="prefect",
        seen=f"no server answers at {address}",
        remedy="prefect server start, or unset PREFECT_API_URL to run without one",
    )


def stuck_runs(settings: Settings) -> Finding:
    """No flow run of this home is Running on a Prefect page without a process."""
    from flows.flow_runs import dead_records

    dead = dead_records(settings.home)
    if not dead:
        return Finding(verdict="PASS", subject="flow runs", seen="none is stuck")
    names = ", ".join(folder.name for folder in dead)
    return Finding(
        verdict="WARN",
        subject="flow runs",
        seen=f"Running on the Prefect page, but killed: {names}",
        remedy="the next night or fivefold serve marks them as crashed",
    )


def _unreached(subject: str, error: BaseException) -> Finding:
    """A database that cannot be used, in its own words."""
    seen, _, remedy = str(error).partition(". Remedy: ")
    return Finding(verdict="FAIL", subject=subject, seen=seen, remedy=remedy.rstrip("."))


def _wrong_version(requirement: Requirement) -> str:
    try:
        installed = metadata.version(requirement.name)
    except metadata.PackageNotFoundError:
        return f"{requirement.name} is missing"
    if requirement.specifier.contains(installed, prereleases=True):
        return ""
    return f"{requirement.name} {installed} is not {requirement.specifier}"
