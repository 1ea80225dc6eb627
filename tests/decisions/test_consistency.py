"""Each promise between heads is seen when it is broken, and stops the night."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tasks.check_consistency import check_consistency, promises
from tasks.decide_actions import decide_actions
from tasks.experiment_settings import ExperimentsConfig
from tasks.gates import GateStopped
from tasks.night import Night
from tests.decisions.conftest import tiny_night
from warehouse.connect import open_warehouse

# A shop in which every promise has something to promise: stock of all products but the last ten, much of product-30 on
# its way and late, product-31 about to end, 8 late orders, a forecast of 10 contacts a day, and user-36 held out.
HOLDOUT = ExperimentsConfig(holdout_ratio=0.15)
BUSY_SHOP = """
insert into raw.inventory_snapshots by name
select date '2017-12-03' as snapshot_date, 'site-1' as site_id, 'product-' || i as product_id,
    i * 5.0 as on_hand_units, 0.0 as committed_units, i * 5.0 as available_units, 0.0 as incoming_units
from range(0, 50) as t(i);
update raw.inventory_snapshots set on_hand_units = 0, available_units = 0, incoming_units = 400
where product_id = 'product-30';
insert into raw.purchase_order_lines by name
select 'po-1' as purchase_order_line_id, 'product-30' as product_id, 'site-1' as ship_to_site_id,
    timestamp '2017-11-01' as ordered_at, 400.0 as quantity_submitted, date '2017-11-10' as expected_delivery_date;
update raw.products set discontinued_at = timestamp '2017-12-09' where product_id = 'product-31';
insert into raw.order_lines by name
select 'line-' || i as order_line_id, 'order-' || i as order_id, 'product-1' as product_id,
    date '2017-12-01' as promised_delivery_date
from range(8) as t(i);
create table samples.service_orders as
select order_id, user_id, 'serve' as fold, date '2017-12-04' as origin_date, null::integer as label_contacted,
    false as ctx_is_delivered, true as ctx_is_overdue, 3 as ctx_days_late
from raw.orders;
create table predicted.service_days as
select date '2017-12-04' + i::integer as forecast_date, 'chat' as channel, 'where_is_my_order' as contact_reason,
    10e0 as contacts_mean, 5e0 as contacts_p10, 10e0 as contacts_p50, 15e0 as contacts_p90,
    'model-1' as model_version, false as is_fallback
from range(7) as t(i);
create table predicted.service_orders as
select order_id, 0.5 as contact_probability, 0.1 as return_probability, 'model-1' as model_version,
    false as is_fallback
from raw.orders;
insert into raw.service_tickets by name
select 'ticket-1' as ticket_id, 'user-5' as user_id, 'chat' as channel, 'where_is_my_order' as contact_reason,
    timestamp '2017-11-25' as created_at, 12.0 as handle_minutes;
insert into ops.head_status by name
select 'night-1' as run_id, unnest(['service', 'order_risks']) as head, 'released' as status, 'good' as reason;
"""

# What DESIGN promises, and the files that keep watch over it.
PROMISED = {
    "one demand curve for price and order": {
        "one_demand_curve",
        "demand_falls_in_price",
        "price_assumed_is_price_charged",
        "orders_cover_the_forecast",
    },
    "nothing recommended that will be out of stock": {"recommended_products_stay_in_stock"},
    "total expected purchases per product <= what can be promised": {"purchases_can_be_promised"},
    "no discount into a stock-out": {"no_discount_into_a_stockout"},
    "no buying of what is being marked down": {"no_buying_of_markdowns"},
    "late receipts show up in contacts": {"late_orders_show_in_contacts"},
    "price shown = price set": {"price_shown_is_price_set"},
    "erased users appear nowhere": {"erased_users_nowhere"},
    "all tables from one run": {"one_night"},
    "the business's rules hold": {
        "consent_is_respected",
        "only_offered_products",
        "prices_within_guardrails",
        "unidentified_prices_are_held",
    },
    "people overrule the model": {"decisions_of_people_stand"},
    "a holdout is held out of all decisions": {"held_out_users_get_the_default"},
    "levels are in order": {"no_order_above_the_reorder_point", "quantiles_ordered", "reorder_below_order_up_to"},
}

A_LIST_ROW = """rowid = (select min(rowid) from predictions.product_recommendations
    where product_id = 'product-29' and placement = 'for_you')"""
A_NEW_PRICE = (
    "select min(product_id) as product_id from predictions.price_recommendations where review_status = 'auto_apply'"
)

# What breaks each promise, and what the example then names.
VIOLATIONS = {
    "consent_is_respected": (
        """update predictions.promotion_recommendations set is_recommended = true where user_id = 'user-3'""",
        "for a user without consent",
    ),
    "decisions_of_people_stand": (
        """insert into raw.decisions by name
        select 'no-price' as decision_id, 'pricing' as head, 'product-12' as product_id, 'overridden' as action,
            77.7 as value, timestamp '2017-12-01' as decided_at, date '2018-01-01' as valid_until""",
        "decision no-price: product-12 at",
    ),
    "demand_falls_in_price": (
        """update predictions.price_responses set expected_units = 1e4 where product_id = 'product-12'
        and price = (select max(price) from predictions.price_responses where product_id = 'product-12')""",
        "product-12: 10000.000 units",
    ),
    "erased_users_nowhere": (
        """insert into ops.erased_users by name
        select sha256('user-5') as user_hash, now()::timestamp as erased_at, 'night-0' as run_id""",
        "a user erased before in",
    ),
    "held_out_users_get_the_default": (
        "update predictions.promotion_recommendations set is_recommended = true where user_id = 'user-36'",
        "campaign campaign-1 for a user held out",
    ),
    "late_orders_show_in_contacts": (
        "update predictions.service_forecasts set contacts_mean = 0.5",
        "8 late orders are expected to cause 4.0 contacts, the forecast has 3.5",
    ),
    "no_buying_of_markdowns": (
        """update predictions.replenishment_recommendations
        set inventory_position_units = 1, recommended_order_units = 500
        where product_id = 'product-31'""",
        "product-31 at all, ending",
    ),
    "no_discount_into_a_stockout": (
        """update predictions.price_recommendations set expected_units_then = 1e4
        where product_id = (select min(product_id) from predictions.price_recommendations
            where recommended_price < current_price and review_status = 'needs_review')""",
        "2500.0 units expected in a week",
    ),
    "no_order_above_the_reorder_point": (
        """update predictions.replenishment_recommendations
        set inventory_position_units = 1e6, recommended_order_units = 12 where product_id = 'product-1'""",
        "product-1 at all: order 12",
    ),
    "one_demand_curve": (
        """update predictions.demand_forecasts set demand_units_mean = 1.01 * demand_units_mean
        where product_id = 'product-12' and forecast_date > as_of_date""",
        "product-12: pricing expects",
    ),
    "one_night": (
        """update predictions.demand_forecasts set run_id = 'night-0'
        where product_id = 'product-1' and forecast_date = as_of_date""",
        "demand_forecasts has rows of night night-0",
    ),
    "only_offered_products": (
        "update staging.products set is_recommendable = false where product_id = 'product-12'",
        "product-12 in",
    ),
    "orders_cover_the_forecast": (
        """update predictions.replenishment_recommendations set recommended_order_units = 1
        where product_id = 'product-0'""",
        "product-0: 1.0 in position and ordered",
    ),
    "price_assumed_is_price_charged": (
        f"""update predictions.demand_forecasts set price_assumed = price_assumed + 0.01
        where product_id = ({A_NEW_PRICE}) and forecast_date = as_of_date""",
        "forecast at",
    ),
    "price_shown_is_price_set": (
        f"""update predictions.product_recommendations set expected_margin = expected_margin + purchase_probability
        where {A_LIST_ROW}""",
        "product-29: shown at",
    ),
    "prices_within_guardrails": (
        f"""insert into raw.pricing_rules by name
        select 'dear' as rule_id, 'product' as scope, product_id as scope_id, date '2017-01-01' as valid_from,
            50.0 as price_floor
        from ({A_NEW_PRICE})""",
        " to ",
    ),
    "purchases_can_be_promised": (
        f"""update predictions.product_recommendations set purchase_probability = 1e6, expected_margin = null
        where {A_LIST_ROW}""",
        "product-29: 10000",
    ),
    "quantiles_ordered": (
        """update predictions.demand_forecasts set demand_units_p95 = 0
        where product_id = 'product-3' and forecast_date = as_of_date""",
        "demand of product-3",
    ),
    "recommended_products_stay_in_stock": (
        f"update predictions.product_recommendations set in_stock_probability = 0.2 where {A_LIST_ROW}",
        "product-29 in a list for_you",
    ),
    "reorder_below_order_up_to": (
        """update predictions.replenishment_recommendations set reorder_point_units = 2 * order_up_to_units
        where product_id = 'product-55'""",
        "product-55 at all",
    ),
    "unidentified_prices_are_held": (
        f"""update predictions.price_recommendations set is_elasticity_identified = false
        where product_id = ({A_NEW_PRICE})""",
        " to ",
    ),
}


def with_holdout(night: Night) -> Night:
    return night.model_copy(update={"experiments": HOLDOUT})


@pytest.fixture
def night(tmp_path: Path) -> Night:
    return with_holdout(tiny_night(tmp_path))


@pytest.fixture(scope="module")
def busy_file(shop_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    night = with_holdout(tiny_night(tmp_path_factory.mktemp("busy")))
    shutil.copy(shop_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        con.execute(BUSY_SHOP)
        decide_actions(con, night)
    return night.warehouse_path


@pytest.fixture
def busy(busy_file: Path, night: Night) -> Iterator[duckdb.DuckDBPyConnection]:
    """A good night of a shop with stock, suppliers, prices that change and tickets."""
    shutil.copy(busy_file, night.warehouse_path)
    with open_warehouse(night.warehouse_path, threads=2) as con:
        yield con


def test_every_promise_of_the_design_is_watched():
    watched = {promise.name for promise in promises()}
    assert set().union(*PROMISED.values()) == watched == set(VIOLATIONS)
    assert all(promise.meaning.endswith(".") for promise in promises())


def test_a_good_night_keeps_all_of_them(busy: duckdb.DuckDBPyConnection, night: Night):
    report = check_consistency(busy, night)
    check_consistency(busy, night)
    kept = busy.execute("select promise, is_kept, violations from ops.consistency_checks order by all").fetchall()
    assert kept == [(name, True, 0) for name in sorted(report.promises)]


@pytest.mark.parametrize("promise", VIOLATIONS)
def test_a_broken_promise_stops_the_night(promise: str, busy: duckdb.DuckDBPyConnection, night: Night):
    plant, example = VIOLATIONS[promise]
    busy.execute(plant)
    with pytest.raises(GateStopped) as stopped:
        check_consistency(busy, night)
    assert stopped.value.gate == "consistency"
    assert promise in stopped.value.reason
    broken = busy.execute("select promise, example from ops.consistency_checks where not is_kept").fetchall()
    assert [name for name, _ in broken] == [promise]
    assert example in broken[0][1]
    assert "user-" not in broken[0][1], "it travels into logs and messages, which forget nobody"


def test_users_erased_from_the_warehouse_leave_no_trace(busy: duckdb.DuckDBPyConnection, night: Night):
    busy.execute("update predictions.user_profiles set user_id = 'erased' where user_id = 'user-6'")
    with pytest.raises(GateStopped, match="erased_users_nowhere"):
        check_consistency(busy, night)


def test_late_orders_raise_a_forecast_that_does_not_know_them(busy: duckdb.DuckDBPyConnection, night: Night):
    busy.execute(
        """update predicted.service_days
        set contacts_mean = 0.1, contacts_p10 = 0, contacts_p50 = 0.1, contacts_p90 = 0.3"""
    )
    decide_actions(busy, night)
    check_consistency(busy, night)
    forecast = "select sum(contacts_mean), min(primary_reason) from predictions.service_forecasts"
    ((contacts, reason),) = busy.execute(forecast).fetchall()
    assert contacts == pytest.approx(8 * 0.5)
    assert "raised for the 8 orders that are late" in reason
