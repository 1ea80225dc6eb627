"""The Ray cluster of a night: started or joined, asked to work, looked at, left."""

from __future__ import annotations

import signal
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import ModuleType
from typing import Any, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")

STARTED_HERE = "local"
# A job that dies with its worker or node starts over elsewhere, so many times; one that raises an error does not.
RETRIES = 5
# What crosses machines are files; Ray's own memory holds the jobs and their answers.
_OBJECT_STORE_BYTES = 100 << 20
_LOOPBACK = "127.0.0.1"
_QUIET: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
# How often a cluster here is tried to start.
_STARTS = 3
# Ray's sockets and logs, gone with the cluster.
_folder: tempfile.TemporaryDirectory[str] | None = None


class ClusterError(RuntimeError):
    """The cluster cannot be had, or has lost what it needs; the message has the remedy."""


@dataclass(frozen=True, kw_only=True)
class Node:
    """One machine of the cluster: its CPUs, GPUs and bytes of memory, as it offered them."""

    address: str
    is_alive: bool
    cpus: int
    gpus: int
    memory: int

    def __str__(self) -> str:
        """Such as `10.0.0.6 4 CPUs 14.9 GiB`."""
        if not self.is_alive:
            return f"{self.address} dead"
        return f"{self.address} {self.cpus} CPU{'s' if self.cpus != 1 else ''} {self.memory / (1 << 30):.1f} GiB"


def join(address: str, cpus: int | None = None) -> None:
    """Start a cluster of this machine's cores, or of so many (`local`), or join the one at that address. Who has one
    already keeps it."""
    ray = _ray()
    if ray.is_initialized():
        return
    try:
        with _own_signals():
            if address == STARTED_HERE:
                _start(ray, cpus)
            else:
                ray.init(address=address, **_QUIET)
    except Exception as error:  # Ray's own reasons come as any kind
        leave()
        raise ClusterError(
            f"no Ray cluster at engine_address = {address!r}: {_reason(error)} "
            "Remedy: correct it, start that cluster (docs/ray.md), try again when the machine is less busy, or set "
            'engine = "local".'
        ) from error


def _start(ray: ModuleType, cpus: int | None) -> None:
    """On a busy machine a node may not come up: Ray gives its helpers 15 seconds, whatever the settings. Then the files
    are in memory, and the next is quicker."""
    global _folder
    _folder = tempfile.TemporaryDirectory(prefix="fivefold-ray-", ignore_cleanup_errors=True)
    for attempt in range(_STARTS):
        try:
            ray.init(
                address="local",
                num_cpus=cpus,
                include_dashboard=False,
                object_store_memory=_OBJECT_STORE_BYTES,
                _node_ip_address=_LOOPBACK,
                _temp_dir=_folder.name,
                **_QUIET,
            )
            return
        except Exception:
            ray.shutdown()
            if attempt == _STARTS - 1:
                raise


def leave() -> None:
    """End the cluster that was started here, or leave the one that was joined."""
    global _folder
    if ray := sys.modules.get("ray"):
        ray.shutdown()
    if _folder:
        _folder.cleanup()
        _folder = None


def run_all(function: Callable[[Job], Result], jobs: Sequence[Job], cpus: int = 1) -> Iterator[Result]:
    """What the function answers to each job, in their order; all of them run at once, as the cluster has CPUs.

    The function may run twice for one job: when its node is lost, it starts over on another. An error of its own is
    raised here as it is; ClusterError when nodes were lost again and again. Then jobs under way go on until the night
    leaves the cluster: Ray 2.60 ends a process that cancels what has just been tried again.
    """
    ray = _ray()
    work = ray.remote(num_cpus=cpus, max_retries=RETRIES)(function)
    answers = [work.remote(job) for job in jobs]
    try:
        for answer in answers:
            yield ray.get(answer)
    except ray.exceptions.RayTaskError as error:
        raise error.cause from error
    except ray.exceptions.RayError as error:
        raise given_up("the Ray cluster lost work", error) from error


def given_up(what: str, error: Exception) -> ClusterError:
    """The error of something that was tried again as often as it may be."""
    return ClusterError(
        f"{what} {RETRIES + 1} times: {_reason(error)} "
        'Remedy: fivefold doctor shows its nodes; start them again, or set engine = "local".'
    )


def _reason(error: Exception) -> str:
    """The first line of what was raised; its kind where it says nothing, as a timeout may."""
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def nodes() -> list[Node]:
    """Every node that the joined cluster has seen, in the order of their addresses."""
    return sorted(
        (
            Node(
                address=found["NodeManagerAddress"],
                is_alive=found["Alive"],
                cpus=int(found["Resources"].get("CPU", 0)),
                gpus=int(found["Resources"].get("GPU", 0)),
                memory=int(found["Resources"].get("memory", 0)),
            )
            for found in _ray().nodes()
        ),
        key=lambda node: (node.address, not node.is_alive),
    )


def version() -> str:
    """Of the installed Ray."""
    return str(_ray().__version__)


def _ray() -> ModuleType:
    try:
        import ray
        import ray.exceptions
    except ModuleNotFoundError:
        raise ClusterError(
            "the engine 'ray' needs the extra 'ray', which is not installed. Remedy: pip install 'fivefold[ray]', or "
            'set engine = "local".'
        ) from None
    return ray


@contextmanager
def _own_signals() -> Iterator[None]:
    """Ray takes SIGTERM for itself; a night ends by its own rules."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)
