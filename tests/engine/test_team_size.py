"""How many train together on which nodes."""

from __future__ import annotations

import pytest

from tasks.engine.cluster import Node
from tasks.engine.ray_training import TeamSize


def node(cpus: int, gpus: int = 0, *, is_alive: bool = True) -> Node:
    return Node(address="10.0.0.5", is_alive=is_alive, cpus=cpus, gpus=gpus, memory=0)


@pytest.mark.parametrize(
    ("nodes", "members", "cpus", "has_gpu"),
    [
        ([node(2)], 1, 2, False),
        ([node(1), node(1)], 2, 1, False),
        ([node(8), node(8), node(8, is_alive=False)], 2, 8, False),
        ([node(4), node(16)], 5, 4, False),
        ([node(4), node(6)], 2, 4, False),
        ([node(0), node(8)], 1, 8, False),
        ([node(16, gpus=2), node(16, gpus=2), node(8)], 4, 1, True),
        ([], 0, 1, False),
    ],
    ids=["one", "two", "one is dead", "one is larger", "nearly alike", "a head without work", "GPUs", "none"],
)
def test_members_are_as_many_as_the_nodes_carry(nodes: list[Node], members: int, cpus: int, has_gpu: bool) -> None:
    found = TeamSize.of(nodes, may_use_gpus=True)
    assert found == TeamSize(members=members, cpus=cpus, has_gpu=has_gpu)


def test_gpus_that_the_settings_refuse_are_left_alone() -> None:
    assert TeamSize.of([node(16, gpus=2)], may_use_gpus=False) == TeamSize(members=1, cpus=16, has_gpu=False)
