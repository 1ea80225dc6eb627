"""A link finds what is planted: orders lead to a contact for the reason for which their user contacts at all."""

from __future__ import annotations

from statistics import fmean

import pytest
import torch
from torch import Tensor

from mtl_models.config import ConsistencyConfig
from mtl_models.fit import fit
from mtl_models.preprocess import Preprocessing, Scaler
from mtl_models.relative_losses import start_losses
from mtl_models.samples import SLOTS, TaskSamples, concatenate
from tests.mtl_models.toy_shop import CONFIG, INTERESTS, Shop, entity, new_model, samples, spec

TASKS = ("profile", "service_orders")
# Many users are known by three months each, few of their orders.
USERS, MONTHS, ORDERS = 400, 3, 40
READING = ConsistencyConfig(links=("profile->service",), beta=0.0, delta=1.0)
CONFIG_OF_TEST = CONFIG.model_copy(
    update={"max_epochs": 12, "patience": 12, "batch_rows": 256, "finish_epochs": 0, "dropout": 0.0}
)


def contacts(log_odds: Tensor, generator: torch.Generator) -> Tensor:
    return (torch.rand(len(log_odds), generator=generator) < torch.sigmoid(log_odds)).float()


def profile_rows(log_odds: Tensor, generator: torch.Generator) -> TaskSamples:
    """Nothing is known of the users but whether they contacted."""
    unknown = torch.full((USERS,), torch.nan)
    targets = dict.fromkeys(("spend_28d", "buys_28d", "buys_7d", "churns_90d", "discount_share_28d"), unknown)
    shares = torch.full((USERS, len(INTERESTS)), 1 / len(INTERESTS))
    return samples(
        {"user": torch.arange(USERS)},
        USERS,
        {
            **targets,
            "contacts_28d": contacts(log_odds, generator),
            "category_shares": torch.full_like(shares, torch.nan),
        },
        dict.fromkeys(
            ("spend_28d", "spend_last_28d", "presence_buys_28d", "presence_buys_7d"), torch.full((USERS,), 0.5)
        )
        | {"category_shares": shares, "category_shares_smoothed": shares},
    )


def order_rows(log_odds: Tensor, count: int, generator: torch.Generator) -> TaskSamples:
    users = torch.randint(0, USERS, (count,), generator=generator)
    targets = {"contacted": contacts(log_odds[users], generator), "returned": torch.full((count,), torch.nan)}
    return samples({"user": users}, count, targets, {})


def held_out_losses(seed: int, is_related: bool) -> tuple[float, float]:
    """Cross-entropy of new orders without the link and with it."""
    generator = torch.Generator().manual_seed(seed)
    ids = {"user": USERS, "product": 1, "site": 1, "calendar": 0, "history": 0}
    entities = {slot: entity(USERS if slot == "user" else 0, count, generator) for slot, count in ids.items()}
    numbers = entities["user"].numbers
    whose, another = (2.5 * torch.sin(2 * numbers[:, i]) * numbers[:, i + 1].sign() for i in (0, 2))
    of_orders = whose if is_related else another
    train, validation = (
        {
            "profile": concatenate([profile_rows(whose, generator) for _ in range(months)]),
            "service_orders": order_rows(of_orders, orders, generator),
        }
        for months, orders in ((MONTHS, ORDERS), (1, 400))
    )
    preprocessing = Preprocessing(
        entities={slot: spec(ids[slot], slot) for slot in SLOTS},
        contexts=dict.fromkeys(train, Scaler(names=())),
        interests=INTERESTS,
    )
    shop, new = Shop(preprocessing, entities, train, validation), order_rows(of_orders, 3000, generator)

    def loss(consistency: ConsistencyConfig) -> float:
        model = new_model(shop, CONFIG_OF_TEST.model_copy(update={"consistency": consistency}), TASKS)
        scales = start_losses(model, entities, train)
        weights = dict.fromkeys(TASKS, 1.0)
        list(fit(model, entities, train, validation, scales=scales, weights=weights, epochs=CONFIG_OF_TEST.max_epochs))
        rows = {"service_orders": new}
        with torch.no_grad():
            return float(model.losses(model.eval()(entities, rows), rows)["service_orders"]["contacted"])

    return loss(ConsistencyConfig()), loss(READING)


@pytest.mark.parametrize(("is_related", "gain"), [(True, 0.04), (False, -0.02)])
def test_few_orders_gain_by_what_the_profile_says_and_lose_nothing_where_it_says_nothing(
    is_related: bool, gain: float
) -> None:
    """Chance is 0.69. An unrelated profile is a link to be ignored."""
    without, reading = zip(*(held_out_losses(seed, is_related) for seed in range(3)), strict=True)
    assert fmean(without) - fmean(reading) > gain, (without, reading)
