"""A course on the toy shop, for teams of every kind."""

from __future__ import annotations

from mtl_models.interactions import GradientCosines
from mtl_models.relative_losses import start_losses
from tasks.engine.course import Course
from tests.mtl_models.toy_shop import CONFIG, TASKS, make_shop, new_model, price_spells

PASSES = 3


def new_course(balancing: str = "fixed", epochs: int = PASSES) -> Course:
    shop = make_shop()
    model = new_model(shop, CONFIG.model_copy(update={"balancing": balancing, "finish_epochs": 0}))
    scales = start_losses(model, shop.entities, shop.train)
    model.start_demand_curve(price_spells(shop))
    return Course(
        model=model,
        entities=shop.entities,
        train=shop.train,
        validation=shop.validation,
        scales=scales,
        weights=dict.fromkeys(TASKS, 1.0),
        epochs=epochs,
        calibrates=True,
        cosines=GradientCosines(),
    )
