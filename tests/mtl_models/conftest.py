from __future__ import annotations

import pytest

from tests.mtl_models.toy_shop import Shop, Trained, make_shop, train


@pytest.fixture(scope="session")
def shop() -> Shop:
    return make_shop()


@pytest.fixture(scope="session")
def trained(shop: Shop) -> Trained:
    """The one model that the tests look at."""
    return train(shop)
