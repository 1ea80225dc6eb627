from __future__ import annotations

from pathlib import Path

import pytest

from mtl_models.config import ModelConfig
from tasks.write_interactions import write_interactions
from tests.model_tasks.small_warehouse import night_of
from tests.mtl_models.toy_shop import CONFIG, make_shop, new_model
from warehouse import migrate as migration
from warehouse.connect import open_memory

COSINES = {("promotion", "uplift"): 0.25, ("uplift", "promotion"): 0.25}


@pytest.mark.parametrize(
    ("sharing", "cosines", "interactions", "experts"),
    [
        ("single", {}, [], []),
        ("hard", COSINES, [("promotion", "uplift", 0.25, None), ("uplift", "promotion", 0.25, None)], []),
        ("relationship", COSINES, [("promotion", "uplift", 0.25, 0.5), ("uplift", "promotion", 0.25, 0.5)], []),
        ("ple", {}, [], [("promotion", 3, 1.0), ("uplift", 3, 1.0)]),
    ],
)
def test_the_diary_says_how_tasks_shared(
    sharing: str, cosines: dict, interactions: list, experts: list, tmp_path: Path
) -> None:
    shop, night = make_shop(), night_of(tmp_path)
    model = new_model(shop, ModelConfig(**CONFIG.model_dump() | {"sharing": sharing}), ("promotion", "uplift"))
    with open_memory() as con:
        migration.migrate(con)
        for _ in ("once", "again"):
            write_interactions(con, night, model, cosines, shop.entities, {"promotion": shop.validation["promotion"]})
        between = """select task, other_task, gradient_cosine, round(learned_correlation, 2) from ops.task_interactions
            order by all"""
        shares = "select task, count(*), round(sum(share), 4) from ops.expert_shares group by task order by all"
        assert con.execute(between).fetchall() == interactions
        assert con.execute(shares).fetchall() == experts
