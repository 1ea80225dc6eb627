"""Each promise between heads is seen when it is broken, and stops the night."""

from __future__ import annotations

import duckdb
import pytest

from tasks.check_consistency import check_consistency, promises
from tasks.gates import GateStopped
from tasks.night import Night

STOCK = """
insert into raw.inventory_snapshots by name
select date '2017-12-03' as snapshot_date, 'site-1' as site_id, product_id, {units} as on_hand_units
from predictions.price_recommendations;
"""

# What breaks each promise; every promise has a row here, or test_every_promise_has_its_violation fails.
VIOLATIONS = {
    "consent_is_respected": "update raw.users set has_marketing_consent = false where user_id = 'user-39'",
    "demand_falls_in_price": "update predictions.price_responses set expected_units = 1000 + price",
    "erased_users_nowhere": "update raw.users set erased_at = timestamp '2017-12-01' where user_id = 'user-5'",
    "no_discount_into_a_stockout": STOCK.format(units="0.0"),
    "no_order_above_the_reorder_point": """update predictions.replenishment_recommendations
        set inventory_position_units = 1e6, recommended_order_units = 12 where product_id = 'product-1'""",
    "one_demand_curve": "update predictions.demand_forecasts set demand_units_mean = 1.01 * demand_units_mean",
    "one_night": "update predictions.demand_forecasts set run_id = 'night-0' where product_id = 'product-1'",
    "only_offered_products": "update raw.products set discontinued_at = '2017-12-01' where product_id = 'product-12'",
    "price_assumed_is_price_charged": """update predictions.price_recommendations
        set recommended_price = recommended_price + 0.01 where review_status = 'auto_apply'""",
    "prices_within_guardrails": """insert into raw.pricing_rules by name
        select 'dear' as rule_id, 'all' as scope, date '2017-01-01' as valid_from, 5.5 as price_floor""",
    "purchases_can_be_promised": STOCK.format(units="0.5"),
    "quantiles_ordered": "update predictions.demand_forecasts set demand_units_p95 = 0 where product_id = 'product-3'",
    "reorder_below_order_up_to": """update predictions.replenishment_recommendations
        set reorder_point_units = 2 * order_up_to_units where product_id = 'product-1'""",
    "unidentified_prices_are_held": "update predictions.price_recommendations set is_elasticity_identified = false",
}


def test_every_promise_has_its_violation():
    assert {promise.name for promise in promises()} == set(VIOLATIONS)
    assert all(promise.meaning.endswith(".") for promise in promises())


@pytest.mark.parametrize("promise", VIOLATIONS)
def test_a_broken_promise_stops_the_night(promise: str, decided: duckdb.DuckDBPyConnection, night: Night):
    decided.execute(VIOLATIONS[promise])
    with pytest.raises(GateStopped) as stopped:
        check_consistency(decided, night)
    assert stopped.value.gate == "consistency"
    assert promise in stopped.value.reason
    found = "select is_kept, violations > 0, example is not null from ops.consistency_checks where promise = $1"
    assert decided.execute(found, [promise]).fetchall() == [(False, True, True)]


def test_kept_promises_are_in_the_diary(decided: duckdb.DuckDBPyConnection, night: Night):
    report = check_consistency(decided, night)
    check_consistency(decided, night)
    kept = decided.execute("select promise, is_kept, violations from ops.consistency_checks order by all").fetchall()
    assert kept == [(name, True, 0) for name in sorted(report.promises)]


@pytest.mark.parametrize(
    "trace",
    [
        """insert into ops.erased_users by name
        select sha256('user-6') as user_hash, now()::timestamp as erased_at, 'night-0' as run_id""",
        "update predictions.user_profiles set user_id = 'erased' where user_id = 'user-6'",
    ],
)
def test_users_erased_from_the_warehouse_leave_no_trace(trace: str, decided: duckdb.DuckDBPyConnection, night: Night):
    decided.execute(trace)
    with pytest.raises(GateStopped, match="erased_users_nowhere"):
        check_consistency(decided, night)
