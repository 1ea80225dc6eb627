"""What is said when a Ray cluster does not come up, whatever Ray raises; no cluster is needed."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tasks.engine import cluster


class NoCluster(ModuleType):
    """In the place of Ray: it cannot be joined."""

    def __init__(self, error: Exception) -> None:
        super().__init__("ray")
        self.error, self.exceptions = error, ModuleType("ray.exceptions")

    def is_initialized(self) -> bool:
        return False

    def shutdown(self) -> None:
        pass

    def init(self, **_: Any) -> None:
        raise self.error


@pytest.mark.parametrize("address", ["local", "10.0.0.5:6379"])
@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (Exception("The current node timed out during startup.\nmore"), "timed out during startup. Remedy"),
        (TimeoutError(), "TimeoutError Remedy"),
    ],
)
def test_it_is_one_error_with_its_reason_and_remedy(
    monkeypatch: pytest.MonkeyPatch, address: str, error: Exception, reason: str
) -> None:
    ray = NoCluster(error)
    monkeypatch.setitem(sys.modules, "ray", ray)
    monkeypatch.setitem(sys.modules, "ray.exceptions", ray.exceptions)
    with pytest.raises(cluster.ClusterError, match=reason):
        cluster.join(address, 1)
