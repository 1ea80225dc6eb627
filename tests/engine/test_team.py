"""Two processes on loopback train what one would: equal weights on both, and as good a model."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest
import torch

from mtl_models.milestones import Milestones
from tasks.engine.course import MILESTONES, TRAINED, Course, export_course, read_course, take_outcome
from tasks.night import Night
from tests.engine.toy_course import PASSES, new_course
from warehouse.shards import ShardError

CPU = torch.device("cpu")
HERE = Path(__file__).parent
Said = dict[str, Any]


def exported(course: Course, folder: Path) -> Path:
    night = Night(run_id="night", as_of_date=date(2020, 1, 1), source="test", home=folder)
    with duckdb.connect() as con:
        export_course(con, course, night, folder, workers=2)
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course whose members draw, and compare gradients: what could fall out of step."""
    return exported(new_course("pcgrad"), tmp_path_factory.mktemp("course"))


@pytest.fixture(scope="module")
def members(folder: Path) -> list[Said]:
    """What each of two members has to say."""
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    root = Path.cwd()
    done = subprocess.run(
        [*launcher, str(HERE / "member_at_work.py"), str(folder)],
        env={**os.environ, "PYTHONPATH": str(root), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads((folder / f"member-{rank}.json").read_text()) for rank in (0, 1)]


def test_the_mean_of_two_members_gradients_is_the_whole_batchs(members: list[Said]) -> None:
    assert max(said["largest_difference"] for said in members) < 1e-5


def test_rows_of_big_tables_that_either_member_saw_are_averaged(members: list[Said]) -> None:
    assert [said["sparse_difference"] for said in members] == [0.0, 0.0]


def test_both_members_end_with_the_same_weights_and_losses(members: list[Said]) -> None:
    first, second = members
    assert first["weights"] == second["weights"]
    assert first["validation_losses"] == second["validation_losses"]


def test_a_team_learns_as_much_as_one_process(folder: Path, members: list[Said]) -> None:
    alone, team = new_course("pcgrad"), new_course("pcgrad")
    last = list(alone.learn())[-1]
    passes = take_outcome(folder, team)
    assert [epoch.number for epoch in passes] == list(range(1, PASSES + 1))
    assert passes[-1].validation_loss == pytest.approx(last.validation_loss, abs=0.05)
    assert team.cosines.means().keys() == alone.cosines.means().keys()
    assert (folder / TRAINED / "model.safetensors").exists()


def test_a_course_comes_back_from_its_files_bit_by_bit(folder: Path) -> None:
    """Rows come in other order: shards hold whole lists."""
    wanted, found = new_course("pcgrad"), read_course(folder, 0, 1, CPU)
    for slot, table in wanted.entities.items():
        for name, tensor in vars(table).items():
            assert torch.equal(getattr(found.entities[slot], name), tensor), (slot, name)
    for table, rows in wanted.train.items():
        sums = (rows.groups.sum(), *(target.nansum() for target in rows.targets.values()))
        again = found.train[table]
        assert len(again) == len(rows)
        torch.testing.assert_close(
            torch.stack([torch.as_tensor(value).double() for value in sums]),
            torch.stack(
                [value.double() for value in (again.groups.sum(), *(t.nansum() for t in again.targets.values()))]
            ),
        )


def test_members_share_the_lists_between_them(folder: Path) -> None:
    shares = [read_course(folder, rank, 2, CPU).train["recommendation"] for rank in (0, 1)]
    assert not set(shares[0].groups.tolist()) & set(shares[1].groups.tolist())
    assert sum(map(len, shares)) == len(new_course().train["recommendation"])


def test_a_changed_shard_is_refused(tmp_path: Path) -> None:
    folder = exported(new_course(), tmp_path)
    shard = next((folder / "train.demand").glob("*.parquet"))
    shard.write_bytes(shard.read_bytes()[:-1])
    with pytest.raises(ShardError, match="not as its manifest says"):
        read_course(folder, 0, 1, CPU)


def test_training_goes_on_at_the_pass_where_it_was_killed(tmp_path: Path) -> None:
    killed, milestones = new_course("uncertainty"), Milestones(tmp_path / MILESTONES, writes=True)
    first = next(killed.learn(milestones=milestones))
    again = new_course("uncertainty")
    passes = list(again.learn(milestones=milestones))
    assert passes[0] == first
    assert [epoch.number for epoch in passes] == list(range(1, PASSES + 1))
    assert passes[1].training_loss < first.training_loss
    assert len(list(milestones.folder.glob("pass-*"))) == 1


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    milestones = Milestones(tmp_path, writes=True)
    learned, again = new_course(), new_course()
    before = list(learned.learn(milestones=milestones))
    assert list(again.learn(milestones=Milestones(tmp_path, writes=False))) == before
    for name, tensor in learned.model.state_dict().items():
        torch.testing.assert_close(again.model.state_dict()[name], tensor)
