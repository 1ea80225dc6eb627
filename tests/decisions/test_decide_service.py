"""Service: contacts, agents, tickets and messages."""

from __future__ import annotations

import pytest

from tasks.decide_actions import decide_actions
from tasks.night import Night, StaffingConfig
from tests.decisions.rules import Warehouse, rows

SERVICE = """
insert into raw.order_lines by name
select 'line-' || order_id as order_line_id, order_id, 'product-1' as product_id,
    if(order_id in ('order-1', 'order-2'), timestamp '2017-11-24', null) as delivered_at
from raw.orders;
insert into raw.service_tickets by name
select 'ticket-' || i as ticket_id, 'order-' || i as order_id, 'chat' as channel,
    if(i <= 2, 'damaged', 'where_is_my_order') as contact_reason, timestamp '2017-11-25' as created_at,
    12.0 as handle_minutes
from range(1, 6) as t(i);
create table samples.service_orders as
select order_id, user_id, 'train' as fold, date '2017-11-24' as origin_date, 1 as label_contacted,
    order_id in ('order-1', 'order-2') as ctx_is_delivered, not ctx_is_delivered as ctx_is_overdue,
    4 as ctx_days_late
from raw.orders semi join raw.service_tickets using (order_id)
union all
select order_id, user_id, 'serve', date '2017-12-04', null, i < 40, i >= 60, 4
from (select *, row_number() over (order by order_id) as i from raw.orders);
create table predicted.service_days as
select date '2017-12-04' + i::integer as forecast_date, 'chat' as channel,
    unnest(['damaged', 'where_is_my_order']) as contact_reason,
    100e0 as contacts_mean, 80e0 as contacts_p10, 100e0 as contacts_p50, 120e0 as contacts_p90,
    'model-1' as model_version, false as is_fallback
from range(7) as t(i);
create table predicted.service_orders as
select order_id, i / 100 as contact_probability, i / 200 as return_probability, 'model-1' as model_version,
    false as is_fallback
from (select order_id, row_number() over (order by order_id) as i from raw.orders);
create table predicted.service_tickets as
select 'ticket-' || i as ticket_id, i = 2 as is_missed_by_now, 9.0 + i as expected_handle_minutes,
    0.25 as missed_probability, 0.1 as priority_low, 0.2 as priority_normal, 0.6 as priority_high,
    0.1 as priority_urgent, 'model-1' as model_version, false as is_fallback
from range(1, 3) as t(i);
insert into ops.head_status by name
select 'night-1' as run_id, unnest(['service', 'order_risks', 'tickets']) as head, 'released' as status,
    'good' as reason;
"""


def test_service_tables_when_tickets_exist(shop: Warehouse, night: Night):
    """A contact takes 12 minutes of an hour that costs 30: 6. Late orders (60 and on) ask where they are, and a
    message for 0.10 saves three of ten such questions; delivered ones (below 40) ask what no message saves."""
    shop.execute(SERVICE)
    decide_actions(shop, night)
    assert rows(
        shop, "select distinct contacts_mean, workload_hours, required_agents from predictions.service_forecasts"
    ) == [(100.0, 20.0, 3)]
    risks = rows(
        shop,
        """select likely_reason, suggested_action, is_message_worthwhile, min(contact_probability),
            max(abs(expected_saving - if(is_message_worthwhile, contact_probability * 0.3 * 6 - 0.1, 0)))
        from predictions.order_contact_risks group by all order by 4""",
    )
    assert risks == [
        ("damaged", "Nothing", False, 0.01, 0.0),
        (None, "Nothing", False, 0.4, 0.0),
        (
            "where_is_my_order",
            "Write to the customer: the parcel is late, and when it will come",
            True,
            0.6,
            pytest.approx(0, abs=1e-9),
        ),
    ]
    reason = rows(shop, "select primary_reason from predictions.order_contact_risks order by contact_probability")
    assert reason[-1] == ("4 days late, 80% likely to lead to a contact, most often about where_is_my_order.",)
    assert "service" in {head for (head,) in rows(shop, "select head from predictions.action_queue")}


def test_open_tickets_are_judged(shop: Warehouse, night: Night):
    """A promise that is missed already is missed for certain."""
    shop.execute(SERVICE)
    decide_actions(shop, night)
    query = """select ticket_id, predicted_priority, expected_handle_minutes, sla_breach_probability
        from predictions.ticket_predictions order by all"""
    assert rows(shop, query) == [("ticket-1", "high", 10.0, 0.25), ("ticket-2", "high", 11.0, 1.0)]


def test_no_message_where_it_costs_more_than_it_saves(shop: Warehouse, night: Night):
    shop.execute(SERVICE)
    dear = StaffingConfig(message_cost=2.0)
    decisions = night.decisions.model_copy(update={"staffing": dear})
    decide_actions(shop, night.model_copy(update={"decisions": decisions}))
    query = "select distinct is_message_worthwhile, suggested_action from predictions.order_contact_risks"
    assert rows(shop, query) == [(False, "Nothing")]


def test_a_message_that_can_wait_waits(shop: Warehouse, night: Night):
    """While there is time, a message spares only what is asked before the promised day: here nothing, then all."""
    shop.execute(SERVICE)
    shop.execute("update samples.service_orders set ctx_is_overdue = false")
    query = """select bool_or(is_message_worthwhile) from predictions.order_contact_risks
        where contact_probability >= 0.4"""
    for promised, is_written in (("2017-11-24", False), ("2017-11-30", True)):
        shop.execute("update raw.order_lines set promised_delivery_date = $1", [promised])
        decide_actions(shop, night)
        assert rows(shop, query) == [(is_written,)]


def test_a_rule_says_what_an_hour_costs(shop: Warehouse, night: Night):
    shop.execute(SERVICE)
    shop.execute(
        """insert into raw.service_policies by name
        select 'chat_is_cheap' as rule_id, 'channel' as scope, 'chat' as scope_id, date '2017-01-01' as valid_from,
            15.0 as agent_hour_cost"""
    )
    decide_actions(shop, night)
    query = """select max(abs(expected_saving - (contact_probability * 0.3 * 3 - 0.1)))
        from predictions.order_contact_risks where is_message_worthwhile"""
    assert rows(shop, query) == [(pytest.approx(0, abs=1e-9),)]


@pytest.mark.parametrize(("lost", "filled"), [("order_risks", "service_forecasts"), ("service", "order_contact_risks")])
def test_risks_and_forecasts_are_served_each_by_itself(shop: Warehouse, night: Night, lost: str, filled: str):
    """One of the two models lost to naive: the other still serves its table."""
    shop.execute(SERVICE)
    shop.execute("update ops.head_status set status = 'not_released' where head = $1", [lost])
    shop.execute("drop table predicted." + {"order_risks": "service_orders", "service": "service_days"}[lost])
    decide_actions(shop, night)
    counts = {
        table: rows(shop, f"select count(*) from predictions.{table}")[0][0]
        for table in ("service_forecasts", "order_contact_risks")
    }
    assert {table for table, count in counts.items() if count} == {filled}
