"""What stops a night on purpose."""

from __future__ import annotations

from warehouse.sources import FeedError


class GateStopped(Exception):  # noqa: N818 - the night was stopped by a rule, nothing erred
    """A gate refused to go on; yesterday's release stays in place.

    `gate` is data, model, consistency or release; `reason` says what was seen, `remedy` what to do.
    """

    def __init__(self, gate: str, reason: str, remedy: str) -> None:
        self.gate, self.reason, self.remedy = gate, reason, remedy
        super().__init__(f"{gate} gate: {reason} Remedy: {remedy}")


def bad_feed(error: FeedError) -> GateStopped:
    """A feed that cannot be read is the data gate's affair, whoever meets it first."""
    return GateStopped("data", f"{error.place}{error.problem}", error.remedy)
