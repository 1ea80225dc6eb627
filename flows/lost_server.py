"""How a night ended whose Prefect server died on the way: the diary knows what the server was never told."""

from __future__ import annotations

from typing import Any

from prefect.states import Completed, Failed, State

from flows.messages import STOPPED, UNCHANGED
from tasks.night import Night
from warehouse.connect import open_read_only

_LOST = "the Prefect server was lost on the way, so that its page does not say so"
_CUT_SHORT = "what comes after the release was not done; fivefold report writes the report"


class ServerLost(ConnectionError):  # noqa: N818 - named after what is the case
    """The Prefect server was lost before the night had ended."""


def state_in_diary(night: Night | None) -> State[Any]:
    """The final state that the flow run would have got; Failed with `ServerLost` where the night did not come to an
    end or, with None, not even to its beginning."""
    status, why = _last_words(night) if night else ("failed", None)
    if night and status == "released":
        return Completed(message=f"released {night.run_id}; {_LOST}", data=night.run_id)
    if night and status == "seen by readers":
        return Completed(message=f"released {night.run_id}; {_LOST}, and {_CUT_SHORT}", data=night.run_id)
    if status == "skipped":
        return Completed(name=UNCHANGED, message=f"{why}; {_LOST}")
    if status == "stopped":
        return Failed(name=STOPPED, message=why)
    told = f" ({why})" if why else ""
    lost = ServerLost(
        f"the Prefect server was lost before the night had ended{told}. Remedy: run it again; readers keep the release "
        "before. If it is lost again, see whether the machine is out of memory."
    )
    return Failed(message=str(lost), data=lost)


def _last_words(night: Night) -> tuple[str, str | None]:
    """How the run ended by the diary, and why: a night that failed after its release is one that readers have."""
    with open_read_only(night.warehouse_path) as con:
        status, why = con.execute(
            """select case when status = 'failed' and run_id in (select run_id from ops.releases)
                   then 'seen by readers' else status end, stopped_by
               from ops.runs where run_id = $1""",
            [night.run_id],
        ).fetchall()[0]
    return status, why
