from __future__ import annotations

import pytest

from tests.mtl_models.balancing.linear_tasks import FEW_TASKS
from tests.mtl_models.toy_shop import Shop, new_model


@pytest.fixture(scope="session")
def few(shop: Shop) -> Shop:
    """The toy shop with the tables of a few tasks, two of which read one."""
    tables = new_model(shop, tasks=FEW_TASKS).tables
    folds = [{table: rows[table] for table in tables} for rows in (shop.train, shop.validation)]
    return Shop(shop.preprocessing, shop.entities, *folds)
