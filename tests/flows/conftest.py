"""One released night of the small shop, shared by all tests that only look at it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from flows.settings import Settings, load_settings
from flows.tonight import Outcome, run_night
from tests.shop import Shop

# Small, but with steps enough that heads beat their baselines on a shop with known habits.
TINY = {
    "features": {"train_cutoffs": 2, "candidates_per_user": 20, "similarity_products": 60, "demand_products": 60},
    "experiments": {"holdout_ratio": 0.1},
    "model": {"max_epochs": 4, "warm_max_epochs": 1, "finish_epochs": 0, "batch_rows": 512},
}


# In the address of somebody to be told, whom nobody can reach.
SECRET = "canary-of-a-token"


@dataclass(frozen=True)
class Released:
    """A home with one released night."""

    settings: Settings
    outcome: Outcome

    @property
    def home(self) -> Path:
        return self.settings.home

    @property
    def link(self) -> Path:
        return self.home / "published.duckdb"


def tiny_settings(home: Path, folder: Path) -> Settings:
    return load_settings(home=home, source=f"files:{folder}", **TINY)


@pytest.fixture(scope="session")
def released(prefect_server: str, tmp_path_factory: pytest.TempPathFactory, shop_folder: Path, shop: Shop) -> Released:
    """Look, but do not run further nights here: that is for `tests/flows/test_more_nights.py` in a copy."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("FIVEFOLD_NOTIFY", f'["json://user:{SECRET}@127.0.0.1:9/{SECRET}"]')
        settings = tiny_settings(tmp_path_factory.mktemp("home"), shop_folder)
        return Released(settings, run_night(settings, is_quiet=True))
