"""Quantiles of spend: the median of those who rather stay away is nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from mtl_models.heads import View
from mtl_models.heads.user_profile import STARTS, UserProfile
from mtl_models.samples import TaskSamples

ROWS, WIDTH, STEPS = 4_000, 8, 400


@pytest.fixture(scope="module")
def rows() -> TaskSamples:
    """Each user comes with a probability of their own and then spends as ever, give or take."""
    generator = torch.Generator().manual_seed(0)
    presence = 0.05 + 0.9 * torch.rand(ROWS, generator=generator)
    usual = torch.exp(3 + 0.5 * torch.randn(ROWS, generator=generator))
    buys = (torch.rand(ROWS, generator=generator) < presence).float()
    spend = buys * usual * torch.exp(0.2 * torch.randn(ROWS, generator=generator))
    unknown = torch.full((ROWS,), torch.nan)
    shares = torch.full((ROWS, 1), torch.nan)
    return TaskSamples(
        slots={},
        context=torch.zeros(ROWS, 0),
        targets={
            "buys_28d": buys,
            "buys_7d": unknown,
            "churns_90d": unknown,
            "discount_share_28d": unknown,
            "contacts_28d": unknown,
            "spend_28d": spend,
            "category_shares": shares,
        },
        baselines={
            **dict.fromkeys(STARTS.values(), presence),
            "spend_28d": usual,
            "category_shares_smoothed": torch.ones_like(shares),
            "category_shares": torch.ones_like(shares),
        },
        inputs={},
        weights=torch.ones(ROWS),
        groups=torch.arange(ROWS),
    )


def scaled(rows: TaskSamples, rate: float) -> TaskSamples:
    """In another currency."""
    money = {"spend_28d": rate * rows.targets["spend_28d"]}
    own = {"spend_28d": rate * rows.baselines["spend_28d"]}
    return replace(rows, targets={**rows.targets, **money}, baselines={**rows.baselines, **own})


def started(rows: TaskSamples) -> UserProfile:
    torch.manual_seed(0)
    head = UserProfile(WIDTH, 1)
    with torch.no_grad():
        head.fit_baseline(rows, {})
    return head


def medians(head: UserProfile, rows: TaskSamples) -> Tensor:
    view = View(torch.zeros(len(rows), WIDTH), {})
    return head.predictions(head(view, rows), rows)["expected_revenue_28d_p50"].detach()


def test_whoever_rather_stays_away_spends_nothing_in_the_middle_case(rows: TaskSamples) -> None:
    """The features say nothing here: all that tells is the user's own probability and spend."""
    head, view = started(rows), View(torch.zeros(ROWS, WIDTH), {})
    optimiser = torch.optim.Adam(head.spend.parameters(), lr=5e-3)
    for _ in range(STEPS):
        losses = head.losses(head(view, rows), rows)
        optimiser.zero_grad()
        (losses["spend_p10"] + losses["spend_p50"] + losses["spend_p90"]).backward()
        optimiser.step()
    presence, over_own = rows.baselines["presence_buys_28d"], medians(head, rows) / rows.baselines["spend_28d"]
    assert over_own[presence < 0.4].mean() < 0.05 and over_own[presence > 0.8].mean() > 0.8


@pytest.mark.parametrize("rate", [1e-1, 1e2, 1e4])
def test_the_currency_does_not_matter(rows: TaskSamples, rate: float) -> None:
    """Whatever was learned of who spends how much more than usual holds in any unit."""
    found = []
    for unit in (1.0, rate):
        paid = scaled(rows, unit * 100)  # so that one more or less is nothing
        head = started(paid)
        torch.manual_seed(1)
        torch.nn.init.normal_(head.spend.residual.weight, std=0.05)
        found.append(medians(head, paid) / unit)
    torch.testing.assert_close(*found, rtol=0.02, atol=1.0)
    assert (found[0] / medians(started(scaled(rows, 100)), scaled(rows, 100)) - 1).abs().max() > 0.05


def test_nobody_has_spent_anything_yet(rows: TaskSamples) -> None:
    nothing = replace(rows, baselines={**rows.baselines, "spend_28d": torch.zeros(ROWS)})
    head = started(nothing)
    assert head.usual_log_spend == 0.0 and medians(head, nothing).isfinite().all()
