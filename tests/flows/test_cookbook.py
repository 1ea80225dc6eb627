"""The cookbook's questions and programs run on a real night, and people's part in it is respected."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flows.look import query_published
from mtl_models.decisions.assignment import assignment_point
from tests.flows.conftest import TINY, Released
from tests.shop import Shop

COOKBOOK = (Path(__file__).parent.parent.parent / "docs" / "cookbook.md").read_text()
QUERIES = re.findall(r"```sql\n(.*?)```", COOKBOOK, re.DOTALL)
PROGRAMS = re.findall(r"```python\n(.*?)```", COOKBOOK, re.DOTALL)


def ask(released: Released, query: str) -> list[tuple]:
    return query_published(released.home, query)[1]


@pytest.mark.parametrize("query", QUERIES, ids=range(len(QUERIES)))
def test_the_cookbook_s_queries_run(released: Released, query: str) -> None:
    ask(released, query)


@pytest.mark.parametrize("program", PROGRAMS, ids=("polars", "pandas", "attach"))
def test_the_cookbook_s_programs_run(
    released: Released,
    program: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / ".fivefold").symlink_to(released.home)
    monkeypatch.chdir(tmp_path)
    exec(compile(program, "cookbook.md", "exec"), {})
    assert capsys.readouterr().out


def test_each_question_has_an_answer() -> None:
    answers = re.findall(r"```sql\n[^`]*```\n```text\n([^`]+)```", COOKBOOK)
    questions = re.findall(r"^\*\*[^*]+\?\*\*", COOKBOOK, re.MULTILINE)
    assert len(answers) == len(questions) == len(QUERIES) >= 20
    # Names, a line, and a row at least.
    assert [answer for answer in answers if answer.count("\n") < 3] == []


def test_the_night_holds_out_whom_the_hash_says(released: Released, shop: Shop) -> None:
    ratio = TINY["experiments"]["holdout_ratio"]
    users = dict(ask(released, "select user_id, is_holdout from predictions.user_profiles_latest"))
    assert users and users == {user: assignment_point("holdout", user) < ratio for user in users}
    assert 0 < sum(users.values()) < len(users) / 3
    assigned = "select variant, count(*), min(assigned_on) from ops.experiment_assignments group by all order by all"
    held_out = sum(assignment_point("holdout", f"u{number:04d}") < ratio for number in range(shop.users))
    assert ask(released, assigned) == [
        ("held_out", held_out, shop.as_of_date),
        ("served", shop.users - held_out, shop.as_of_date),
    ]
    # Nobody was treated so for a day yet.
    assert ask(released, "select count(*) from ops.experiment_lifts") == [(0,)]


def test_the_night_respects_what_people_decided(released: Released) -> None:
    served = {head for (head,) in ask(released, "select head from ops.head_status where status = 'released'")}
    order = "select recommended_order_units, decision_id from predictions.replenishment_recommendations_latest"
    if "supply" in served:
        assert ask(released, f"{order} where product_id = 'p0003'") == [(40, "more")]
    shown = "select count(*) from predictions.product_recommendations_latest where product_id = 'p0005'"
    assert ask(released, shown) == [(0,)]
    counts = "select head, accepted, rejected, overridden from ops.decision_counts_latest order by head"
    assert ask(released, counts) == [("pricing", 1, 0, 0), ("recommendation", 0, 1, 0), ("supply", 0, 0, 1)]
