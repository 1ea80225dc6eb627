"""A small shop as tensors, whose truth is known, and one model trained on it."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from mtl_models.config import ModelConfig
from mtl_models.demand_curve import log_price_ratio
from mtl_models.elasticity import Spells
from mtl_models.fit import Epoch, fit
from mtl_models.heads import TASKS
from mtl_models.interactions import GradientCosines
from mtl_models.model import JointModel, product_ids
from mtl_models.predict import settle_elasticities
from mtl_models.preprocess import CLIP, EntitySpec, Preprocessing, Scaler, Vocabulary
from mtl_models.relative_losses import Scales, start_losses
from mtl_models.samples import SLOTS, EntityTable, TaskSamples

ELASTICITY = -1.8
OFFER_EFFECT = 1.2
INTERESTS = ("bread", "fruit", "OTHER")
USERS, PRODUCTS = 80, 30
CONFIG = ModelConfig(
    slot_width=16, trunk_widths=(32, 24), id_embedding_width=4, batch_rows=512, max_epochs=14, learning_rate=5e-3
)


@dataclass
class Shop:
    preprocessing: Preprocessing
    entities: dict[str, EntityTable]
    train: dict[str, TaskSamples]
    validation: dict[str, TaskSamples]


@dataclass
class Trained:
    model: JointModel
    shop: Shop
    scales: Scales
    epochs: list[Epoch]
    cosines: GradientCosines


def entity(rows: int, ids: int, generator: torch.Generator, words: int = 3) -> EntityTable:
    return EntityTable(
        ids=torch.arange(rows) % ids + 1 if ids else torch.zeros(rows, dtype=torch.int64),
        categories=torch.randint(1, words + 1, (rows, 1), generator=generator),
        numbers=torch.randn(rows, 4, generator=generator),
    )


def spec(ids: int, kind: str, words: int = 3) -> EntitySpec:
    numbers = Scaler(
        names=tuple(f"number_{i}" for i in range(4)),
        lowest=(-CLIP,) * 4,
        highest=(CLIP,) * 4,
        is_log=(False,) * 4,
        mean=(0.0,) * 4,
        scale=(1.0,) * 4,
        is_sometimes_missing=(False,) * 4,
    )
    return EntitySpec(
        ids=Vocabulary(words=tuple(f"{kind}{i}" for i in range(ids))),
        categories={"word": Vocabulary(words=tuple(f"word{i}" for i in range(words)))},
        numbers=numbers,
    )


def samples(
    slots: dict[str, Tensor],
    rows: int,
    targets: dict[str, Tensor],
    baselines: dict[str, Tensor],
    inputs: dict[str, Tensor] | None = None,
    groups: Tensor | None = None,
) -> TaskSamples:
    absent = torch.full((rows,), -1)
    return TaskSamples(
        slots={slot: slots.get(slot, absent) for slot in SLOTS},
        context=torch.zeros(rows, 0),
        targets=targets,
        baselines=baselines,
        inputs=inputs or {},
        weights=torch.ones(rows),
        groups=torch.arange(rows) if groups is None else groups,
    )


def profile_rows(entities: dict[str, EntityTable], generator: torch.Generator) -> TaskSamples:
    rows = torch.arange(USERS)
    value = entities["user"].numbers[rows, 0]
    shares = torch.softmax(torch.randn(USERS, 3, generator=generator) + value[:, None], dim=1)
    base = torch.rand(USERS, generator=generator) * 0.6 + 0.2
    spend = torch.exp(4 + value + 0.3 * torch.randn(USERS, generator=generator)) * (value > -1)
    buys = (torch.rand(USERS, generator=generator) < torch.sigmoid(2 * value)).float()
    none = torch.full((USERS,), torch.nan)
    return samples(
        {"user": rows},
        USERS,
        {
            "spend_28d": spend,
            "buys_28d": buys,
            "buys_7d": buys,
            "churns_90d": 1 - buys,
            "discount_share_28d": torch.where(buys > 0, 0.3, torch.nan),
            "contacts_28d": none,
            "category_shares": torch.where(buys[:, None] > 0, shares, torch.nan),
        },
        {
            "spend_28d": torch.exp(4 + torch.randn(USERS, generator=generator)),
            "spend_last_28d": torch.ones(USERS),
            "buys_28d": base,
            "buys_7d": base / 2,
            "presence_buys_28d": base,
            "presence_buys_7d": base / 2,
            "category_shares": torch.full((USERS, 3), 1 / 3),
            "category_shares_smoothed": torch.full((USERS, 3), 1 / 3),
        },
    )


def recommendation_rows(entities: dict[str, EntityTable], generator: torch.Generator, each: int = 15) -> TaskSamples:
    rows = USERS * each
    users = torch.arange(USERS).repeat_interleave(each)
    products = torch.randint(0, PRODUCTS, (rows,), generator=generator)
    odds = 2 * entities["product"].numbers[products, 0] * entities["user"].numbers[users, 1].sign() - 1
    return samples(
        {"user": users, "product": products},
        rows,
        {"bought_28d": (torch.rand(rows, generator=generator) < torch.sigmoid(odds)).float()},
        {"popularity": torch.rand(rows, generator=generator), "personal": torch.zeros(rows)},
        {"is_new": torch.ones(rows)},
        groups=users,
    )


def quality_rows(entities: dict[str, EntityTable], generator: torch.Generator, each: int = 10) -> TaskSamples:
    """Ratings follow one feature of the product; what was heard before is half of it."""
    products = torch.arange(PRODUCTS).repeat(each)
    quality = entities["product"].numbers[products, 1]
    rating = (3.5 + 0.8 * quality + 0.4 * torch.randn(len(products), generator=generator)).clamp(1.0, 5.0)
    return samples({"product": products}, len(products), {"rating": rating}, {"rating": 3.5 + 0.4 * quality})


def demand_rows(generator: torch.Generator, weeks: int = 16) -> TaskSamples:
    rows = PRODUCTS * weeks
    products = torch.arange(PRODUCTS).repeat_interleave(weeks)
    level = torch.exp(torch.linspace(1.0, 4.0, PRODUCTS))[products]
    ratio = torch.exp(0.3 * torch.randn(rows, generator=generator))
    units = torch.poisson(level * ratio**ELASTICITY, generator=generator)
    return samples(
        {"product": products, "history": products, "calendar": torch.zeros(rows, dtype=torch.int64)},
        rows,
        {"units": units, "available_ratio": torch.ones(rows)},
        {
            "level": level,
            "units": level,
            "units_sold": level,
            "units_13w_p10": level * 0.5,
            "units_13w_p50": level,
            "units_13w_p90": level * 1.6,
            "units_13w_p95": level * 1.9,
        },
        {
            "price": 2.0 * ratio,
            "mean_price_assumed": 2.0 * ratio,
            "reference_price": torch.full((rows,), 2.0),
            "list_price": torch.full((rows,), 2.5),
            "is_priced": torch.ones(rows),
            "is_price_seen": torch.ones(rows),
            "is_supply_test": torch.ones(rows),
            "is_price_test": torch.ones(rows),
        },
    )


def promotion_rows(entities: dict[str, EntityTable], generator: torch.Generator) -> TaskSamples:
    users = torch.arange(USERS).repeat_interleave(8)
    odds = 2 * entities["user"].numbers[users, 2] - 1
    redeemed = (torch.rand(len(users), generator=generator) < torch.sigmoid(odds)).float()
    offered = torch.arange(len(users)) % 2
    own = entities["user"].numbers[users, 1] - 0.5
    ordered = (torch.rand(len(users), generator=generator) < torch.sigmoid(own + OFFER_EFFECT * offered)).float()
    return samples(
        {"user": users},
        len(users),
        {"redeemed": torch.where(offered > 0, redeemed, torch.nan), "ordered": ordered},
        {"redeemed": torch.full((len(users),), 0.3), "ordered": torch.full((len(users),), 0.4)},
        {"is_offered": offered.float()},
    )


def order_rows(entities: dict[str, EntityTable], generator: torch.Generator) -> TaskSamples:
    users = torch.arange(USERS).repeat(5)
    odds = 2 * entities["user"].numbers[users, 3] - 1
    contacted = (torch.rand(len(users), generator=generator) < torch.sigmoid(odds)).float()
    return samples({"user": users}, len(users), {"contacted": contacted, "returned": 1 - contacted}, {})


def contact_rows(generator: torch.Generator) -> TaskSamples:
    rows = 200
    base = torch.rand(rows, generator=generator) * 20 + 1
    contacts = torch.poisson(base * 1.5, generator=generator)
    return samples(
        {}, rows, {"contacts": contacts}, {"contacts": base, "contacts_28d": base, "contacts_expected": base}
    )


def ticket_rows(entities: dict[str, EntityTable], generator: torch.Generator) -> TaskSamples:
    """Minutes follow one feature of the user, missed promises and priorities another."""
    users = torch.arange(USERS).repeat(5)
    value, other = entities["user"].numbers[users, 0], entities["user"].numbers[users, 1]
    noise = torch.exp(0.3 * torch.randn(len(users), generator=generator))
    missed = (torch.rand(len(users), generator=generator) < torch.sigmoid(2 * other)).float()
    usual = torch.full((len(users),), 0.25)
    return samples(
        {"user": users},
        len(users),
        {"handle_minutes": 10 * torch.exp(0.5 * value) * noise, "missed": missed, "priority": (other > 0) + 1.0},
        {"handle_minutes": torch.full((len(users),), 10.0), "missed": torch.full((len(users),), 0.5)}
        | {f"priority_{name}": usual for name in ("low", "normal", "high", "urgent")},
    )


def make_shop(seed: int = 0) -> Shop:
    generator = torch.Generator().manual_seed(seed)
    entities = {
        "user": entity(USERS, USERS, generator),
        "product": entity(PRODUCTS, PRODUCTS, generator),
        "site": entity(0, 1, generator),
        "calendar": entity(4, 0, generator),
        "history": entity(PRODUCTS, 0, generator),
    }
    ids = {"user": USERS, "product": PRODUCTS, "site": 1, "calendar": 0, "history": 0}
    folds = [
        {
            "profile": profile_rows(entities, generator),
            "recommendation": recommendation_rows(entities, generator),
            "product_quality": quality_rows(entities, generator),
            "demand": demand_rows(generator),
            "promotion": promotion_rows(entities, generator),
            "service_orders": order_rows(entities, generator),
            "service_days": contact_rows(generator),
            "service_tickets": ticket_rows(entities, generator),
        }
        for _ in ("train", "validation")
    ]
    preprocessing = Preprocessing(
        entities={slot: spec(ids[slot], slot) for slot in SLOTS},
        contexts={table: Scaler(names=()) for table in folds[0]},
        interests=INTERESTS,
    )
    return Shop(preprocessing, entities, folds[0], folds[1])


def new_model(shop: Shop, config: ModelConfig = CONFIG, tasks: tuple[str, ...] = tuple(TASKS)) -> JointModel:
    torch.manual_seed(config.seed)
    model = JointModel(shop.preprocessing, config, tasks)
    model.fit_baselines(shop.entities, shop.train)
    return model


def price_spells(shop: Shop) -> Spells:
    """Each week of the demand rows as a spell; all in one market, without promotions."""
    rows = shop.train["demand"]
    return Spells(
        units=rows.targets["units"],
        exposure=rows.baselines["level"] * rows.targets["available_ratio"],
        log_price=log_price_ratio(rows.inputs["price"], rows.inputs["reference_price"]),
        context=torch.zeros(len(rows), 0),
        products=product_ids(shop.entities, rows),
        categories=torch.ones(len(rows), dtype=torch.int64),
        markets=torch.zeros(len(rows), dtype=torch.int64),
    )


def train(shop: Shop, config: ModelConfig = CONFIG, epochs: int | None = None) -> Trained:
    model = new_model(shop, config)
    scales = start_losses(model, shop.entities, shop.train)
    spells = price_spells(shop)
    model.start_demand_curve(spells)
    cosines = GradientCosines()
    passes = fit(
        model,
        shop.entities,
        shop.train,
        shop.validation,
        scales=scales,
        weights=dict.fromkeys(TASKS, 1.0),
        epochs=epochs or config.max_epochs,
        cosines=cosines,
    )
    history = list(passes)
    settle_elasticities(model, shop.entities, shop.train["demand"], spells)
    return Trained(model.eval(), shop, scales, history, cosines)
