"""Experiments measured from the feeds: what counts for whom, and from when."""

from __future__ import annotations

from collections.abc import Iterator

import duckdb
import pytest

from tasks.experiment_settings import Experiment, ExperimentsConfig, Variant
from tasks.measure_experiments import measure_experiments
from tasks.night import Night
from tests.decisions.conftest import AS_OF, tiny_night
from tests.decisions.rules import Warehouse, rows
from warehouse.connect import open_memory, read_sql
from warehouse.migrate import migrate

# 1,200 users, the even ones held out and every third in variant b; all since the 20th of November. User n orders on
# n % 5 days before that and as often after it, and once more if served: one order of 10 each, which earns 4.
HISTORY = """
insert into raw.users by name select 'user-' || i as user_id from range(1200) as t(i);
insert into raw.products by name select 'product' as product_id, 6.0 as unit_cost;
create temp table visits as
select i, date '2017-10-01' + cast(visit as integer) as day from range(1200) as t(i), range(5) as v(visit)
where visit < i % 5
union all
select i, date '2017-11-21' + cast(visit as integer) from range(1200) as t(i), range(5) as v(visit)
where visit < i % 5 + i % 2;
insert into raw.orders by name
select 'order-' || row_number() over (order by i, day) as order_id, 'user-' || i as user_id,
    day::timestamp + interval 12 hour as ordered_at, 'completed' as status
from visits;
insert into raw.order_lines by name
select order_id as order_line_id, order_id, 'product' as product_id, 1.0 as quantity, 10.0 as sold_price
from raw.orders;
insert into ops.releases by name
select 1 as release_number, 'night-0' as run_id, now()::timestamp as released_at, true as is_current;
insert into ops.experiment_assignments by name
select 'user-' || i as user_id, 'holdout' as experiment, if(i % 2 = 0, 'held_out', 'served') as variant,
    date '2017-11-20' as assigned_on, 'night-0' as run_id
from range(1200) as t(i)
union all
select 'user-' || i, 'nothing', if(i % 3 = 0, 'b', 'a'), date '2017-11-20', 'night-0' from range(1200) as t(i);
"""
NOTHING = Experiment(
    name="nothing", starts_on="2017-11-20", variants=(Variant(name="a", share=0.6), Variant(name="b", share=0.4))
)


@pytest.fixture
def night(tmp_path) -> Night:
    experiments = ExperimentsConfig(holdout_ratio=0.5, tests=(NOTHING,))
    return tiny_night(tmp_path).model_copy(update={"experiments": experiments})


@pytest.fixture
def history() -> Iterator[duckdb.DuckDBPyConnection]:
    with open_memory() as con:
        migrate(con)
        con.execute(HISTORY)
        con.execute("set variable as_of_date = $1", [AS_OF])
        for name in ("schemas", "users"):
            con.execute(read_sql(f"staging/{name}.sql"))
        yield con


def lift(con: Warehouse, experiment: str, metric: str) -> tuple:
    return rows(
        con,
        f"""select users, control_users, round(lift, 6), lift_low, lift_high, lift_ratio, control_value_per_user
        from ops.experiment_lifts where experiment = '{experiment}' and metric = '{metric}'""",
    )[0]


def test_lifts_are_per_user_and_metric(history: Warehouse, night: Night):
    report = measure_experiments(history, night)
    assert str(report) == "6 lifts of 2 experiments"
    for metric, worth in (("orders", 1), ("revenue", 10), ("margin", 4)):
        users, controls, found, low, high, ratio, control = lift(history, "holdout", metric)
        assert (users, controls) == (600, 600)
        assert found == pytest.approx(worth) and low <= found <= high
        assert control == pytest.approx(2 * worth) and ratio == pytest.approx(0.5)
        _, _, found, low, high, *_ = lift(history, "nothing", metric)
        assert low < 0 < high and abs(found) < 0.1 * worth
    # What users did before says nearly all of what they do now: only the odd ones' order is new.
    assert rows(
        history, "select min(explained_ratio) > 0.85 from ops.experiment_lifts where experiment = 'nothing'"
    ) == [(True,)]


def test_only_days_from_the_assignment_on_count(history: Warehouse, night: Night):
    measure_experiments(history, night)
    before = lift(history, "holdout", "orders")
    # Orders of the day before the assignment, of the as-of date, and cancelled ones.
    history.execute(
        """insert into raw.orders by name
        select 'more-' || i as order_id, 'user-' || (2 * i) as user_id, 'completed' as status,
            case i % 3
                when 0 then timestamp '2017-11-19 23:59' when 1 then timestamp '2017-12-04 00:01'
                else timestamp '2017-11-25'
            end as ordered_at,
            if(i % 3 = 2, timestamp '2017-11-26', null) as cancelled_at
        from range(600) as t(i)"""
    )
    history.execute(
        """insert into raw.order_lines by name
        select order_id as order_line_id, order_id, 'product' as product_id, 1.0 as quantity, 10.0 as sold_price
        from raw.orders where order_id like 'more-%'"""
    )
    measure_experiments(history, night)
    assert lift(history, "holdout", "orders")[6] == before[6]


def test_an_experiment_that_ended_counts_no_later_days(history: Warehouse, night: Night):
    short = NOTHING.model_copy(update={"ends_on": NOTHING.starts_on.replace(day=22)})
    ended = night.model_copy(update={"experiments": ExperimentsConfig(tests=(short,))})
    measure_experiments(history, ended)
    assert rows(history, "select distinct experiment, until_date::varchar from ops.experiment_lifts") == [
        ("nothing", "2017-11-22")
    ]
    # One day with orders: nobody has more than one.
    assert lift(history, "nothing", "orders")[6] <= 1


def test_a_user_whose_variant_changed_is_left_out(history: Warehouse, night: Night):
    history.execute(
        """insert into ops.experiment_assignments by name
        select 'user-1' as user_id, 'nothing' as experiment, 'b' as variant, date '2017-11-25' as assigned_on,
            'night-0' as run_id"""
    )
    measure_experiments(history, night)
    assert lift(history, "nothing", "orders")[:2] == (400, 799)


def test_nothing_is_measured_before_a_night_was_released(history: Warehouse, night: Night):
    history.execute("delete from ops.releases")
    assert str(measure_experiments(history, night)) == "no experiment has run yet"
    assert str(measure_experiments(history, tiny_night(night.home))) == "no experiment has run yet"
