"""A machine that fails its night: a disk that is full, a folder that cannot be written.

The home lies on a file system in memory that only this process sees, in a mount name space of its own: no machine is
harmed, and all is gone with the process. That takes root, or a kernel that lets users have name spaces.
"""

from __future__ import annotations

import ctypes
import json
import os
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from chaos import verdicts, victims
from chaos.stages import Stage

_CLONE_NEWNS = 0x00020000
_ROOMY = "size=4g"


@dataclass(frozen=True, kw_only=True)
class Trouble:
    """How a night went on a machine in trouble, and the next one when the trouble was over."""

    trouble: str
    code: int
    said: str
    faults: tuple[str, ...]


@cache
def can_mount() -> bool:
    """Whether this process may have a file system of its own."""
    return subprocess.run(["unshare", "--mount", "true"], check=False, capture_output=True).returncode == 0


def full_disk(stage: Stage, home: Path, free_megabytes: float) -> Trouble:
    """The stage on a disk with so much room, and then on a large one."""
    return _play(stage, home, f"{free_megabytes} MB left on the disk", free_megabytes)


def read_only(stage: Stage, home: Path) -> Trouble:
    """The stage in a home that is mounted read-only, and then in one that can be written."""
    return _play(stage, home, "a home mounted read-only", None)


def _play(stage: Stage, home: Path, trouble: str, free_megabytes: float | None) -> Trouble:
    answer = home.parent / f"{home.name}.json"
    ended = victims.run(_in_trouble, home, stage, free_megabytes, answer)
    if not answer.exists():
        return Trouble(trouble=trouble, code=ended.code, said=ended.said, faults=("the trial itself failed",))
    told = json.loads(answer.read_text())
    answer.unlink()
    said = next((line for line in ended.said.splitlines() if "Remedy:" in line), ended.said)
    return Trouble(trouble=trouble, code=told["code"], said=said, faults=tuple(told["faults"]))


def _in_trouble(home: Path, stage: Stage, free_megabytes: float | None, answer: Path) -> int:
    """The process of a trial: it writes down how the stage ended in trouble and what was wrong afterwards."""
    if ctypes.CDLL(None, use_errno=True).unshare(_CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "no mount name space")
    _mount("--make-rprivate", "/")
    _mount("-t", "tmpfs", "-o", _ROOMY, "tmpfs", str(home))
    if stage.before.exists():
        shutil.copytree(stage.before, home, symlinks=True, dirs_exist_ok=True)
    used = shutil.disk_usage(home).used
    _remount(home, "ro" if free_megabytes is None else f"size={used + int(free_megabytes * 2**20)}")
    code = _code_of(stage.act, home, stage.arguments)
    link = home / "published.duckdb"
    faults = [fault] if (fault := verdicts.one_whole_night(link)) else []
    _remount(home, f"rw,{_ROOMY}")
    if again := _code_of(stage.act, home, stage.arguments):
        faults.append(f"ended with {again} when the trouble was over")
    else:
        faults += verdicts.differences("published", stage.published, verdicts.published(link))
        faults += verdicts.differences("loaded", stage.loaded, verdicts.loaded(home))
        faults += [f"left behind: {name}" for name in verdicts.leftovers(home)]
    answer.write_text(json.dumps({"code": code, "faults": faults}))
    return 0


def _code_of(act: Callable[..., int], home: Path, arguments: tuple[object, ...]) -> int:
    """The exit code as the command would have it: an error is one message and 1."""
    from flows.errors import in_words

    try:
        return act(home, *arguments)
    except Exception as error:
        os.write(2, f"error: {in_words(error)}\n".encode())
        return 1


def _remount(home: Path, options: str) -> None:
    _mount("-o", f"remount,{options}", str(home))


def _mount(*arguments: str) -> None:
    subprocess.run(["mount", *arguments], check=True)
