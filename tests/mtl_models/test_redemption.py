"""Where redemption starts from: the user's own rate, and what tells users apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtl_models.heads import View
from mtl_models.heads.pricing import Redemption
from mtl_models.preprocess import Scaler
from mtl_models.samples import ABSENT, Entities, EntityTable, TaskSamples

ROWS = 20_000
EFFECT = 0.8
# Of a user's first number; the second says nothing.
USER_EFFECT = -0.6
CONTEXT = Scaler(
    names=("ctx_discount_value", "ctx_redemptions", "ctx_redemption_recency_days"),
    lowest=(0.0,) * 3,
    highest=(1.0,) * 3,
    is_log=(False,) * 3,
    mean=(0.0,) * 3,
    scale=(1.0,) * 3,
    is_sometimes_missing=(False, False, True),
)


USERS = Scaler(names=("visits", "gap_days"), lowest=(0.0,) * 2, highest=(1.0,) * 2)


@pytest.fixture(scope="module")
def entities() -> Entities:
    """A user for each row."""
    numbers = torch.randn(ROWS, USERS.width, generator=torch.Generator().manual_seed(1))
    return {"user": EntityTable(torch.zeros(ROWS).long(), torch.zeros(ROWS, 0).long(), numbers)}


@pytest.fixture(scope="module")
def rows(entities: Entities) -> TaskSamples:
    """Own rates of 2% to 50%; a campaign's discount, the user's redemptions and a number of the user tell who
    redeems."""
    generator = torch.Generator().manual_seed(0)
    context = torch.randn(ROWS, CONTEXT.width, generator=generator)
    own = 0.02 + 0.48 * torch.rand(ROWS, generator=generator)
    odds = torch.logit(own) + 0.3 * context[:, 0] + EFFECT * context[:, 1]
    odds += USER_EFFECT * entities["user"].numbers[:, 0]
    redeemed = (torch.rand(ROWS, generator=generator) < odds.sigmoid()).float()
    return TaskSamples(
        slots={"user": torch.arange(ROWS)},
        context=context,
        targets={"redeemed": redeemed},
        baselines={"redeemed": own},
        inputs={},
        weights=torch.ones(ROWS),
        groups=torch.arange(ROWS),
    )


def started(rows: TaskSamples, entities: Entities) -> Redemption:
    head = Redemption(8, 1)
    head.lay_out(CONTEXT, USERS)
    with torch.no_grad():
        head.fit_baseline(rows, entities)
    return head


def log_odds(head: Redemption, rows: TaskSamples, entities: Entities) -> torch.Tensor:
    return head(View(torch.zeros(len(rows), 8), entities), rows)["redeemed"].detach()


def test_it_learns_what_tells_users_apart(rows: TaskSamples, entities: Entities) -> None:
    head = started(rows, entities)
    assert head.tells_users_apart.tolist() == [False, True, True, True]
    _, redemptions, recency, unknown_recency, visits, gap = head.coefficients.tolist()
    # A little nearer to nothing than the truth: few rows are not believed at once.
    assert EFFECT - 0.15 < redemptions < EFFECT and USER_EFFECT < visits < USER_EFFECT + 0.15
    assert max(map(abs, (recency, unknown_recency, gap))) < 0.1


def test_a_campaign_s_own_features_say_nothing(rows: TaskSamples, entities: Entities) -> None:
    head, other = started(rows, entities), rows.context.clone()
    other[:, 0] += 3
    moved = replace(rows, context=other)
    assert torch.equal(log_odds(head, rows, entities), log_odds(head, moved, entities))


def test_who_is_no_known_user_is_taken_for_an_average_one(rows: TaskSamples, entities: Entities) -> None:
    head = started(rows, entities)
    nobody = replace(rows, slots={"user": torch.full((ROWS,), ABSENT)})
    average = {"user": replace(entities["user"], numbers=torch.zeros(ROWS, USERS.width))}
    assert torch.equal(log_odds(head, nobody, entities), log_odds(head, rows, average))
    empty = {"user": EntityTable(torch.zeros(0).long(), torch.zeros(0, 0).long(), torch.zeros(0, USERS.width))}
    assert torch.equal(log_odds(head, nobody, empty), log_odds(head, rows, average))


@pytest.mark.parametrize("count", [0, 3])
def test_few_offers_leave_the_own_rate_as_it_is(rows: TaskSamples, entities: Entities, count: int) -> None:
    few = rows.targets["redeemed"].clone()
    few[count:] = torch.nan
    few[:count] = torch.tensor([0.0, 1.0, 0.0])[:count]
    head = started(replace(rows, targets={"redeemed": few}), entities)
    moved = log_odds(head, rows, entities) - torch.logit(rows.baselines["redeemed"])
    # The level follows what was seen at once; who is told apart from whom does not.
    assert (moved - moved.mean()).abs().max() < 0.2
    assert count or not moved.abs().max()
