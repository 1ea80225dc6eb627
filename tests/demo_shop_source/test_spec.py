from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from warehouse.sources import FeedError, open_source, source_names
from warehouse.sources.demo_shop.spec import ShopSpec
from warehouse.sources.demo_shop.world import World


@pytest.mark.parametrize(
    ("location", "size", "seed", "dirt_ratio", "name"),
    [
        ("", "small", 1, 0.001, "demo_shop-small-1"),
        ("tiny", "tiny", 1, 0.001, "demo_shop-tiny-1"),
        ("?seed=3", "small", 3, 0.001, "demo_shop-small-3"),
        ("tiny?seed=3&dirt_ratio=0", "tiny", 3, 0, "demo_shop-tiny-3-dirt0"),
        ("medium?dirt_ratio=.01", "medium", 1, 0.01, "demo_shop-medium-1-dirt0.01"),
        ("tiny?users=400&products=90", "tiny", 1, 0.001, "demo_shop-tiny-1-400users-90products"),
        ("small?users=5000", "small", 1, 0.001, "demo_shop-small-1"),
    ],
)
def test_a_location_names_a_shop(location: str, size: str, seed: int, dirt_ratio: float, name: str) -> None:
    spec = ShopSpec.parse(location)
    assert (spec.size.name, spec.seed, spec.dirt_ratio, spec.name) == (size, seed, dirt_ratio, name)
    assert ShopSpec.parse(spec.location) == spec


@pytest.mark.parametrize(
    ("location", "problem", "remedy"),
    [
        ("smal", "no demo shop of size 'smal'", "did you mean 'small'"),
        ("x", "no demo shop of size 'x'", "choose one of tiny, small, medium, large"),
        ("tiny?sed=3", "no option 'sed'", "did you mean 'seed'"),
        ("tiny?seed=three", "seed is 'three'", "whole number"),
        ("tiny?seed=-1", "seed is '-1'", "whole number"),
        ("tiny?users=99", "users is '99'", "whole number from 100 on"),
        ("tiny?products=many", "products is 'many'", "whole number from 10 on"),
        ("tiny?dirt_ratio=1.5", "dirt_ratio is '1.5'", "share such as"),
    ],
)
def test_a_shop_that_is_not_there_is_named(location: str, problem: str, remedy: str) -> None:
    with pytest.raises(FeedError) as caught:
        open_source(f"demo_shop:{location}")
    assert problem in caught.value.problem
    assert remedy in caught.value.remedy


def test_a_shop_of_its_own_numbers_lives_on_as_it_was_saved(tmp_path: Path) -> None:
    size = ShopSpec.parse("tiny?users=120&products=15").size
    World.create(size, seed=1).save(tmp_path)
    assert World.load(tmp_path).shop.size == size


def test_the_history_is_known_before_it_is_lived(tmp_path: Path) -> None:
    assert "demo_shop" in source_names()
    assert open_source("demo_shop:tiny").latest_as_of() == date(2026, 6, 4)
    assert open_source("demo_shop:tiny", home=tmp_path).latest_as_of() == date(2026, 6, 4)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("as_of", [date(2025, 1, 1), date(2026, 1, 5)])
def test_nothing_is_known_before_the_shop_opens(as_of: date, tmp_path: Path) -> None:
    with pytest.raises(FeedError, match="opens on 2026-01-05"):
        open_source("demo_shop:tiny", as_of, tmp_path).prepare(lambda message, done: None)
    assert list(tmp_path.iterdir()) == []
