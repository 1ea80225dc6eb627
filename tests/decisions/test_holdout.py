"""Holdout and variants: who is treated otherwise, how, and that it is the same every night."""

from __future__ import annotations

import hashlib
from datetime import date, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from mtl_models.decisions.assignment import assignment_point, variant_of
from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.decisions.context import prepare, run_step
from tasks.experiment_settings import Experiment, ExperimentsConfig, Variant
from tasks.night import Night
from tests.decisions.rules import STOCK, Warehouse, rows

START = date(2017, 12, 1)


def treated(night: Night, **experiments: object) -> Night:
    return night.model_copy(update={"experiments": ExperimentsConfig(**experiments)})


def test_of(name: str = "wide", **more: object) -> Experiment:
    variants = (Variant(name="control", share=0.5), Variant(name="curious", share=0.5, exploration_ratio=0.2))
    return Experiment(**{"name": name, "starts_on": START, "variants": variants} | more)


test_of.__test__ = False  # type: ignore[attr-defined]


def test_python_and_sql_put_a_user_at_the_same_point(shop: Warehouse, night: Night):
    prepare(shop, night)
    users = ["user-1", "user-2", "Ü-ß", ""]
    points = shop.execute(
        """select list(assignment_point('salt', user_id) order by number)
        from unnest($1) with ordinality as t(user_id, number)""",
        [users],
    ).fetchall()[0][0]
    assert points == [assignment_point("salt", user) for user in users]
    # Written out once more, so that a site in another language can be held against it.
    assert points[0] == int(hashlib.sha256(b"salt:user-1").hexdigest()[:13], 16) / 2**52


def test_points_are_uniform_and_experiments_independent():
    users = [f"user-{number}" for number in range(20_000)]
    first, second = (np.array([assignment_point(salt, user) for user in users]) for salt in ("holdout", "wide"))
    for points in (first, second):
        assert points.min() >= 0 and points.max() < 1
        counts = np.histogram(points, 20, (0, 1))[0]
        # Chi-squared with 19 degrees of freedom: 43.8 once in a thousand.
        assert ((counts - 1000) ** 2 / 1000).sum() < 43.8
    assert abs(np.corrcoef(first, second)[0, 1]) < 3.3 / np.sqrt(len(users))
    both = ((first < 0.1) & (second < 0.5)).mean()
    assert both == pytest.approx(0.05, abs=3.3 * np.sqrt(0.05 * 0.95 / len(users)))


def test_a_held_out_user_gets_what_everyone_gets(shop: Warehouse, night: Night):
    held = treated(night, holdout_ratio=0.15)
    shop.execute(STOCK)
    decide_actions(shop, held)
    check_consistency(shop, held)
    users = [f"user-{number}" for number in range(40) if assignment_point("holdout", f"user-{number}") < 0.15]
    assert len(users) > 4
    for table in ("user_profiles", "product_recommendations", "promotion_recommendations"):
        flagged = rows(shop, f"select distinct user_id from predictions.{table} where is_holdout")
        assert sorted(user for (user,) in flagged) == sorted(users), table
    lists = rows(
        shop,
        """select user_id, placement, list(product_id order by rank), list(rank order by rank)
        from predictions.product_recommendations where is_holdout or user_id = 'everyone' group by all""",
    )
    assert {placement for user, placement, _, _ in lists if user != "everyone"} == {"for_you"}
    assert len({tuple(products) for _, _, products, _ in lists}) == 1
    assert rows(
        shop,
        "select distinct is_recommended from predictions.promotion_recommendations where is_holdout",
    ) == [(False,)]
    assert rows(shop, "select count(*) from predictions.action_queue where object_type = 'user'") != [(0,)]
    ((offer,),) = rows(shop, "select action from predictions.action_queue where object_type = 'promotion'")
    assert offer.endswith(f"to none of the {len(users)} held out")


def test_a_holdout_changes_nothing_for_prices_and_nobody_s_profile(shop: Warehouse, night: Night):
    same = "select * exclude (is_holdout, predicted_at) from predictions.{} order by all"
    decide_actions(shop, night)
    before = [rows(shop, same.format(table)) for table in ("user_profiles",)]
    prices = "select * exclude (predicted_at) from predictions.price_recommendations order by all"
    charged = rows(shop, prices)
    decide_actions(shop, treated(night, holdout_ratio=0.3))
    assert [rows(shop, same.format(table)) for table in ("user_profiles",)] == before
    assert rows(shop, prices) == charged


def test_variants_change_the_lists_of_their_users(shop: Warehouse, night: Night):
    decide_actions(shop, treated(night, holdout_ratio=0.1, tests=(test_of(),)))
    explored = rows(
        shop,
        """select variant, is_holdout, min(explored), max(explored)
        from (select user_id, variant, is_holdout, placement, count(*) filter (is_exploration) as explored
            from predictions.product_recommendations group by all)
        group by all order by all""",
    )
    assert explored == [
        ("wide/control", False, 0, 0),
        ("wide/curious", False, 4, 4),
        (None, False, 0, 0),
        (None, True, 0, 0),
    ]


def test_python_names_the_variant_that_sql_gives(shop: Warehouse, night: Night):
    shares = {"a": 0.3, "b": 0.1, "c": 0.4}
    arms = tuple(Variant(name=name, share=share) for name, share in shares.items())
    prepare(shop, treated(night, tests=(test_of(variants=arms),)))
    given = dict(rows(shop, "select user_id, variant from assignments where experiment = 'wide'"))
    named = {f"user-{number}": variant_of("wide", f"user-{number}", shares) for number in range(40)}
    assert given == {user: variant for user, variant in named.items() if variant}
    assert set(named.values()) == {"a", "b", "c", None}


def test_a_variant_may_order_lists_by_purchases(shop: Warehouse, night: Night):
    arms = (Variant(name="margin", share=0.5), Variant(name="purchases", share=0.5, order_by="purchases"))
    decide_actions(shop, treated(night, tests=(test_of(variants=arms),)))
    means = dict(
        rows(
            shop,
            """select variant, avg(purchase_probability) from predictions.product_recommendations
            where user_id <> 'everyone' group by variant""",
        )
    )
    assert means["wide/purchases"] > means["wide/margin"]


def test_an_experiment_runs_on_its_days_only(shop: Warehouse, night: Night):
    for starts_on, ends_on, runs in (
        (night.as_of_date, None, True),
        (night.as_of_date + timedelta(1), None, False),
        (START, night.as_of_date, False),
        (START, night.as_of_date + timedelta(1), True),
    ):
        prepare(shop, treated(night, tests=(test_of(starts_on=starts_on, ends_on=ends_on),)))
        assert rows(shop, "select count(*) > 0 from assignments") == [(runs,)]
    prepare(shop, treated(night, holdout_ratio=0.2, holdout_starts_on=night.as_of_date + timedelta(1)))
    assert rows(shop, "select count(*) filter (is_holdout) from user_groups") == [(0,)]


def test_assignments_are_kept_from_the_first_released_night_on(shop: Warehouse, night: Night):
    settings = {"holdout_ratio": 0.15, "tests": (test_of(),)}

    def decide(run_id: str, as_of_date: date, *, is_released: bool) -> list[tuple]:
        tonight = treated(night, **settings).model_copy(update={"run_id": run_id, "as_of_date": as_of_date})
        prepare(shop, tonight)
        run_step(shop, "experiment_assignments")
        if is_released:
            shop.execute(
                "insert into ops.releases by name select 1 as release_number, $1 as run_id, now()::timestamp as "
                "released_at, true as is_current",
                [run_id],
            )
        return rows(shop, "select assigned_on, run_id, count(*) from ops.experiment_assignments group by all")

    held_out = sum(assignment_point("holdout", f"user-{number}") < 0.15 for number in range(40))
    everybody = 40 + 40 - held_out
    assert decide("stopped", date(2017, 12, 3), is_released=False) == [(date(2017, 12, 3), "stopped", everybody)]
    assert decide("first", date(2017, 12, 4), is_released=True) == [(date(2017, 12, 4), "first", everybody)]
    assert decide("second", date(2017, 12, 5), is_released=True) == [(date(2017, 12, 4), "first", everybody)]
    # A night of an earlier day, run later, was the first; the order of nights does not matter.
    assert decide("earlier", date(2017, 12, 2), is_released=True) == [(date(2017, 12, 2), "earlier", everybody)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"tests": (test_of("a"), test_of("a"))}, "two experiments are called 'a'"),
        ({"tests": (test_of("a"), test_of("b", salt="a"))}, "divide users alike"),
        ({"tests": (test_of("a"), test_of("b"))}, "change exploration_ratio at one time"),
        ({"tests": (test_of("holdout"),)}, "name or the salt of the holdout"),
    ],
)
def test_settings_that_do_not_go_together_are_refused(wrong: dict[str, object], said: str):
    with pytest.raises(ValidationError, match=said):
        ExperimentsConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"variants": (Variant(name="a", share=0.7), Variant(name="b", share=0.7))}, "more than 1"),
        ({"variants": (Variant(name="a", share=0.2), Variant(name="a", share=0.2))}, "two variants of one name"),
        ({"ends_on": START}, "does not end after it starts"),
    ],
)
def test_an_experiment_that_cannot_be_is_refused(wrong: dict[str, object], said: str):
    with pytest.raises(ValidationError, match=said):
        test_of(**wrong)
