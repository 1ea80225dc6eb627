"""The environment that the libraries see: telemetry off, defaults that suit a night. It imports next to nothing."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

DEFAULTS = {
    "DO_NOT_TRACK": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    # The newer page asks an analytics host from the browser, the classic one does not.
    "PREFECT_SERVER_UI_V2_ENABLED": "false",
    # A night needs none of Prefect's block types; registering them makes the first start seconds slower.
    "PREFECT_API_BLOCKS_REGISTER_ON_START": "false",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    # Else Ray takes a cluster on loopback for one that it does not support.
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # Idle threads that spin make a training step ten times slower when another process wants the core.
    "OMP_WAIT_POLICY": "PASSIVE",
}


def set_defaults() -> None:
    """Set every default that the user has not set."""
    for name, value in DEFAULTS.items():
        os.environ.setdefault(name, value)


def keep_others_out() -> None:
    """Let whatever this process and its children write be read by its group at most: files 0640, folders 0750. A umask
    that is stricter stays."""
    os.umask(os.umask(0o077) | 0o027)


def keep_prefect_in(home: Path) -> None:
    """Let Prefect keep its state under the home folder, unless the user has a Prefect home, server or
    profile of their own: then nights appear there."""
    has_profile = (Path.home() / ".prefect" / "profiles.toml").exists()
    if not has_profile and not {"PREFECT_API_URL", "PREFECT_HOME"} & os.environ.keys():
        folder = home.resolve() / "prefect"
        os.environ["PREFECT_HOME"] = str(folder)
        # Prefect makes one level of folders only. A home that cannot be written is for others to report.
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)


def keep_matplotlib_in(home: Path) -> None:
    """Let the plotting library that Captum imports keep its list of fonts under the home folder, unless the user has a
    place for it."""
    os.environ.setdefault("MPLCONFIGDIR", str(home.resolve() / "matplotlib"))


def be_temporary_server() -> None:
    """Make this process a Prefect server without pages and without a scheduler, as Prefect's own ephemeral one is."""
    os.environ.update({"PREFECT_UI_ENABLED": "0", "PREFECT__SERVER_EPHEMERAL": "1", "PREFECT__SERVER_FINAL": "1"})


def offer_blocks() -> None:
    """Let a server that stays offer Prefect's block types on its page: notifications may use them."""
    os.environ["PREFECT_API_BLOCKS_REGISTER_ON_START"] = "true"


def silence_prefect_console() -> None:
    """Leave the terminal to Fivefold's own progress; Prefect's log lines still reach its server."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")


def is_debugging() -> bool:
    """Whether errors should come with their traceback (FIVEFOLD_DEBUG)."""
    return os.environ.get("FIVEFOLD_DEBUG", "").lower() not in ("", "0", "false")


def set_debugging() -> None:
    """Let errors come with their traceback from here on, in child processes too."""
    os.environ["FIVEFOLD_DEBUG"] = "1"
