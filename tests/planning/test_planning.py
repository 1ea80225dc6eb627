"""What a plan says: it knows the nights that were measured, grows with the shop, and sends nobody off in vain."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from flows.plan import memory_limit_gib, pace_of
from mtl_models.config import ModelConfig
from tasks.night import FeatureConfig
from tasks.planning.amounts import Limits, amounts, limits_of
from tasks.planning.engine import COST_CLASSES, DISTRIBUTED, advise
from tasks.planning.estimate import DATABASE, Estimate, Pace, estimate
from tasks.planning.fitting import fit_costs, fit_filling
from tasks.planning.machine import GIB, Machine
from tasks.planning.measured import MeasuredNights, load_measured
from tasks.planning.shop import SenselessShop, Shop

MEASURED = load_measured()
LIMITS = limits_of(ModelConfig(), FeatureConfig())
SMALL = Shop.of(users=5_000, products=1_000, events=1_600_000, order_lines=None)
LARGE = Shop.of(users=2_000_000, products=100_000, events=400_000_000, order_lines=None)
LAPTOP = Machine(cores=4, memory_gib=16, disk_gib=200)


def of(shop: Shop, measured: MeasuredNights = MEASURED, limits: Limits = LIMITS, pace: Pace | None = None) -> Estimate:
    return estimate(shop, measured, limits, measured.memory_limit_gib, pace or Pace())


def step(whole: Estimate, name: str) -> object:
    return next(step for step in whole.steps if step.step == name)


def test_costs_are_found_and_never_negative() -> None:
    assert fit_costs([4 + 2e-6 * work for work in (1e6, 5e6, 7e7)], [1e6, 5e6, 7e7]) == pytest.approx((4, 2e-6))
    assert fit_costs([2.0, 4.0, 6.0], [1, 2, 3]) == pytest.approx((0, 2))
    falling = fit_costs([10.0, 8.0, 6.0], [1, 2, 3])
    assert falling[0] > 0 and falling[1] == 0
    assert fit_costs([0.0, 0.0], [1, 2]) == (0, 0)
    assert fit_filling([3.0, 5.0, 9.0, 9.0], [1, 2, 4, 40]) == pytest.approx((1, 2, 4))


def test_the_nights_that_were_measured_are_estimated_as_they_were() -> None:
    for night in MEASURED.nights:
        whole = of(night.shop)
        assert whole.cpu_s == pytest.approx(night.cpu_s, rel=0.15)
        assert whole.largest.gib == pytest.approx(max(cost.gib for cost in night.steps.values()), rel=0.3)


def test_the_largest_night_is_foretold_by_the_others_within_30_percent() -> None:
    others = tuple(night for night in MEASURED.nights if night != MEASURED.largest)
    whole = of(MEASURED.largest.shop, MEASURED.model_copy(update={"nights": others}))
    assert whole.cpu_s == pytest.approx(MEASURED.largest.cpu_s, rel=0.3)
    assert whole.largest.gib == pytest.approx(max(cost.gib for cost in MEASURED.largest.steps.values()), rel=0.3)


@pytest.mark.parametrize("larger", ["users", "products", "events", "order_lines"])
def test_a_larger_shop_never_takes_less(larger: str) -> None:
    shop, before = SMALL, of(SMALL)
    for _ in range(8):
        shop = replace(shop, **{larger: getattr(shop, larger) * 5})
        after = of(shop)
        for earlier, later in zip(before.steps, after.steps, strict=True):
            assert (later.cpu_s, later.gib) >= (earlier.cpu_s, earlier.gib)
        assert all(after.disk[name] >= size for name, size in before.disk.items())
        before = after


def test_settings_bound_what_they_bound() -> None:
    large, larger = of(LARGE.times(100)), of(LARGE.times(1000))
    assert step(larger, "train_model") == replace(step(large, "train_model"), gib_per_million_users=0)
    assert step(larger, "ingest_feeds").gib == step(large, "ingest_feeds").gib
    more = estimate(LARGE, MEASURED, LIMITS, 2 * MEASURED.memory_limit_gib, Pace())
    assert step(more, "ingest_feeds").gib > step(of(LARGE), "ingest_feeds").gib, "what is larger is filled"
    twice = of(LARGE.times(100), limits=replace(LIMITS, most_rows=2 * LIMITS.most_rows))
    assert step(twice, "train_model").cpu_s > 1.5 * step(large, "train_model").cpu_s
    assert step(twice, "ingest_feeds") == step(large, "ingest_feeds")


def test_the_pace_of_the_machine_is_that_of_each_kind_of_work() -> None:
    usual, slower = of(SMALL), of(SMALL, pace=Pace(database=2, model=3))
    for before, after in zip(usual.steps, slower.steps, strict=True):
        assert after.cpu_s == pytest.approx(before.cpu_s * (2 if before.step in DATABASE else 3))
    kept = MEASURED.reference_s
    assert pace_of({name: 1.1 * seconds for name, seconds in kept.items()}, MEASURED) == Pace()
    assert pace_of({"database": 3 * kept["database"], "model": kept["model"] / 2}, MEASURED) == Pace(
        database=pytest.approx(3), model=pytest.approx(0.5)
    )


def test_what_gives_out_first_gives_out_there() -> None:
    advice = advise(SMALL, of, LAPTOP, 6 * 3600)
    assert [bound.times for bound in advice.bounds] == sorted(bound.times for bound in advice.bounds)
    needs = {
        "time": lambda whole: whole.clock_s / 3600,
        "memory": lambda whole: whole.largest.gib,
        "disk": lambda whole: whole.disk_bytes / GIB,
    }
    for bound in advice.bounds:
        assert needs[bound.of](of(SMALL.times(bound.times))) == pytest.approx(bound.there, rel=0.01)


def test_a_shop_that_one_machine_carries_stays_on_it() -> None:
    advice = advise(SMALL, of, LAPTOP, 6 * 3600)
    assert (advice.engine, advice.workers, advice.cost_class) == ("local", 1, "a laptop")


def test_a_cluster_takes_what_it_can_spread_and_nothing_else() -> None:
    server = Machine(cores=16, memory_gib=2048, disk_gib=100_000)
    whole = of(LARGE)
    alone = sum(step.clock_s * (1 - DISTRIBUTED.get(step.step, 0.0)) for step in whole.steps)
    workers = []
    for spare in (0.9, 0.3, 0.1):
        window = alone + spare * (whole.clock_s - alone)
        advice = advise(LARGE, of, server, window)
        assert advice.engine == "ray"
        workers.append(advice.workers)
    assert workers == sorted(workers) and workers[0] >= 2
    assert advise(LARGE, of, server, alone).engine == "none"
    assert "stays on one machine" in advise(LARGE, of, replace(server, memory_gib=1), whole.clock_s).reason


def test_no_engine_replaces_a_disk() -> None:
    advice = advise(SMALL, of, replace(LAPTOP, disk_gib=0.1), 6 * 3600)
    assert (advice.engine, advice.bounds[0].of) == ("local", "disk") and advice.bounds[0].times < 1


def test_the_cost_class_is_the_first_machine_with_the_memory_and_the_cores() -> None:
    order = [*(name for _, _, name in COST_CLASSES), "several large servers"]
    classes = [order.index(advise(SMALL.times(10**power), of, LAPTOP, 6 * 3600).cost_class) for power in range(7)]
    assert classes == sorted(classes) and (classes[0], classes[-1]) == (0, len(order) - 1)


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"users": 0}, "users = 0"),
        ({"products": -5}, "products = -5"),
        ({"users": 10**12}, "users = 1,000,000,000,000"),
        ({"events": 0}, "without orders"),
        ({"days": 0}, "days = 0"),
        ({"users": 10}, "a day for each"),
    ],
)
def test_sizes_that_no_shop_has_are_refused(wrong: dict[str, int], words: str) -> None:
    sizes = {"users": 5_000, "products": 1_000, "events": 1_000_000_000, "days": 180, "sites": 2}
    with pytest.raises(SenselessShop, match=words) as error:
        Shop.of(order_lines=None, **sizes | wrong)
    assert "Remedy: " in str(error.value)


def test_a_shop_without_behaviour_is_a_shop() -> None:
    quiet = Shop.of(users=2_469, products=92_351, events=0, order_lines=1_470_000)
    assert math.isfinite(of(quiet).cpu_s) and of(quiet).cpu_s > 0


def test_sample_tables_grow_with_their_owners() -> None:
    like = MEASURED.largest
    usual = amounts(like.shop, like, LIMITS)
    more_users = amounts(replace(like.shop, users=2 * like.shop.users), like, LIMITS)
    assert usual["served"] < more_users["served"] < 2 * usual["served"]
    assert more_users["rows"] == usual["rows"]


def test_the_limit_of_memory_is_read_as_the_database_does() -> None:
    assert memory_limit_gib("3GB") == pytest.approx(3e9 / GIB, rel=1e-6)
    assert memory_limit_gib("4GiB") == pytest.approx(4, rel=1e-6)
