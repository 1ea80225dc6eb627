"""Where redemption starts from: the user's own rate, and what tells users apart."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from mtl_models.heads import View
from mtl_models.heads.pricing import Redemption
from mtl_models.preprocess import Scaler
from mtl_models.samples import TaskSamples

ROWS = 4_000
EFFECT = 0.8
CONTEXT = Scaler(
    names=("ctx_discount_value", "ctx_redemptions", "ctx_redemption_recency_days"),
    lowest=(0.0,) * 3,
    highest=(1.0,) * 3,
    is_log=(False,) * 3,
    mean=(0.0,) * 3,
    scale=(1.0,) * 3,
    is_sometimes_missing=(False, False, True),
)


@pytest.fixture(scope="module")
def rows() -> TaskSamples:
    """Own rates of 2% to 50%; a campaign's discount and the user's redemptions both tell who redeems."""
    generator = torch.Generator().manual_seed(0)
    context = torch.randn(ROWS, CONTEXT.width, generator=generator)
    own = 0.02 + 0.48 * torch.rand(ROWS, generator=generator)
    odds = torch.logit(own) + 0.3 * context[:, 0] + EFFECT * context[:, 1]
    redeemed = (torch.rand(ROWS, generator=generator) < odds.sigmoid()).float()
    return TaskSamples(
        slots={},
        context=context,
        targets={"redeemed": redeemed},
        baselines={"redeemed": own},
        inputs={},
        weights=torch.ones(ROWS),
        groups=torch.arange(ROWS),
    )


def started(rows: TaskSamples) -> Redemption:
    head = Redemption(8, 1)
    head.lay_out(CONTEXT)
    with torch.no_grad():
        head.fit_baseline(rows)
    return head


def log_odds(head: Redemption, rows: TaskSamples) -> torch.Tensor:
    return head(View(torch.zeros(len(rows), 8)), rows)["redeemed"].detach()


def test_it_learns_what_tells_users_apart(rows: TaskSamples) -> None:
    head = started(rows)
    assert head.tells_users_apart.tolist() == [False, True, True, True]
    assert float(head.coefficients[1]) == pytest.approx(EFFECT, abs=0.15)
    assert head.coefficients[2:].abs().max() < 0.1


def test_a_campaign_s_own_features_say_nothing(rows: TaskSamples) -> None:
    head, other = started(rows), rows.context.clone()
    other[:, 0] += 3
    assert torch.equal(log_odds(head, rows), log_odds(head, replace(rows, context=other)))


@pytest.mark.parametrize("count", [0, 3])
def test_few_offers_leave_the_own_rate_as_it_is(rows: TaskSamples, count: int) -> None:
    few = rows.targets["redeemed"].clone()
    few[count:] = torch.nan
    few[:count] = torch.tensor([0.0, 1.0, 0.0])[:count]
    moved = log_odds(started(replace(rows, targets={"redeemed": few})), rows) - torch.logit(rows.baselines["redeemed"])
    # The level follows what was seen at once; who is told apart from whom does not.
    assert (moved - moved.mean()).abs().max() < 0.2
    assert count or not moved.abs().max()
