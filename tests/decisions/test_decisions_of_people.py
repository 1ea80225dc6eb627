"""What people decided is what the next night says, while it holds; and it is counted."""

from __future__ import annotations

import pytest

from tasks.check_consistency import check_consistency
from tasks.decide_actions import decide_actions
from tasks.experiment_settings import ExperimentsConfig
from tasks.night import Night
from tests.decisions.rules import STOCK, Warehouse, pricing_rule, rows
from warehouse.contracts import feed
from warehouse.validation.rules_sql import check_table

SERVICE = """
create table predicted.service_days as
select date '2017-12-04' + i::integer as forecast_date, 'chat' as channel, 'where_is_my_order' as contact_reason,
    10e0 as contacts_mean, 5e0 as contacts_p10, 10e0 as contacts_p50, 15e0 as contacts_p90,
    'model-1' as model_version, false as is_fallback
from range(7) as t(i);
insert into raw.service_tickets by name
select 'ticket-1' as ticket_id, 'user-5' as user_id, 'chat' as channel, 'where_is_my_order' as contact_reason,
    timestamp '2017-11-25' as created_at, 12.0 as handle_minutes;
insert into ops.head_status by name
select 'night-1' as run_id, 'service' as head, 'released' as status, 'good' as reason;
"""
PRICE = """select cast(recommended_price as double), review_status, binding_rule, decision_id, primary_reason
    from predictions.price_recommendations where product_id = '{}'"""
ORDER = """select recommended_order_units, binding_rule, decision_id, primary_reason
    from predictions.replenishment_recommendations where product_id = '{}'"""


def decide(con: Warehouse, decision_id: str, head: str, action: str, **more: object) -> None:
    said = {"decided_at": "2017-12-01 10:00", "valid_until": "2017-12-20"} | more
    columns = "".join(f", ${number + 4} as {name}" for number, name in enumerate(said))
    con.execute(
        f"insert into raw.decisions by name select $1 as decision_id, $2 as head, $3 as action{columns}",
        [decision_id, head, action, *said.values()],
    )


def tonight(con: Warehouse, night: Night) -> None:
    decide_actions(con, night)
    check_consistency(con, night)


def test_an_overridden_price_is_charged_everywhere(shop: Warehouse, night: Night):
    shop.execute(STOCK)
    decide(shop, "summer", "pricing", "overridden", product_id="product-12", value=2.6)
    tonight(shop, night)
    ((price, status, rule, decision, reason),) = rows(shop, PRICE.format("product-12"))
    assert (price, status, rule, decision) == (2.6, "auto_apply", "decision summer", "summer")
    assert "by decision summer until 2017-12-20" in reason and "the model would charge" in reason
    assert rows(
        shop,
        """select cast(price_assumed as double) from predictions.demand_forecasts
        where product_id = 'product-12' and forecast_date = as_of_date""",
    )[0][0] == pytest.approx(2.6)
    # 1.60 is what a unit costs.
    margins = rows(
        shop,
        """select expected_margin / purchase_probability from predictions.product_recommendations
        where product_id = 'product-12'""",
    )
    assert margins and all(margin == pytest.approx(2.6 - 1.6) for (margin,) in margins)


def test_a_person_stands_above_guardrails_and_the_row_says_which(shop: Warehouse, night: Night):
    pricing_rule(shop, "cheap", "product", "product-12", price_ceiling=3.0)
    decide(shop, "dear", "pricing", "overridden", product_id="product-12", value=9.99)
    decide(shop, "anyhow", "pricing", "overridden", product_id="product-9", value=2.4)  # locked
    decide(shop, "blind", "pricing", "overridden", product_id="product-10", value=2.4)  # elasticity not identified
    tonight(shop, night)
    found = {product: rows(shop, PRICE.format(product))[0] for product in ("product-12", "product-9", "product-10")}
    assert [row[:4] for row in found.values()] == [
        (9.99, "auto_apply", "decision dear above price_ceiling (cheap)", "dear"),
        (2.4, "auto_apply", "decision anyhow above is_price_locked", "anyhow"),
        (2.4, "auto_apply", "decision blind above is_elasticity_identified", "blind"),
    ]
    assert "it stands above price_ceiling (cheap)" in found["product-12"][4]
    gains = dict(rows(shop, "select object_id, expected_gain from ops.decision_effects where head = 'pricing'"))
    assert set(gains) == set(found) and all(gain is not None for gain in gains.values())
    assert rows(shop, "select standing, rows_overridden, rows_overruling from ops.decision_counts") == [(3, 3, 3)]


def test_a_decided_price_gains_what_the_curve_says(shop: Warehouse, night: Night):
    """Units at another price are units x (price / price) ^ elasticity, here over four weeks."""
    decide(shop, "mine", "pricing", "overridden", product_id="product-12", value=2.6)
    tonight(shop, night)
    ((modelled, gain),) = rows(shop, "select model_value, expected_gain from ops.decision_effects")
    weeks = rows(
        shop,
        """select demand_units_mean, price_assumed, elasticity from predicted.demand
        where product_id = 'product-12'""",
    )

    def margin(price: float) -> float:
        ratios = [price / 2.5] * len(weeks)
        return sum(
            units * ratio**slope * (assumed * ratio - 1.6)
            for ratio, (units, assumed, slope) in zip(ratios, weeks, strict=True)
        )

    assert gain == pytest.approx(margin(2.6) - margin(modelled))


def test_a_rejected_price_stays_and_a_rejected_order_is_not_placed(shop: Warehouse, night: Night):
    shop.execute(STOCK)
    shop.execute("update raw.inventory_snapshots set on_hand_units = 10, available_units = 10")
    decide_actions(shop, night)
    assert rows(shop, ORDER.format("product-20"))[0][0] > 0
    product = rows(
        shop, "select min(product_id) from predictions.price_recommendations where recommended_price > current_price"
    )[0][0]
    decide(shop, "no", "pricing", "rejected", product_id=product)
    decide(shop, "enough", "supply", "rejected", product_id="product-20")
    tonight(shop, night)
    _, status, rule, decision, reason = rows(shop, PRICE.format(product))[0]
    assert (status, rule, decision) == ("hold", "decision no", "no") and reason.startswith("Held at")
    assert rows(shop, ORDER.format("product-20"))[0][:3] == (0, "decision enough", "enough")
    queued = rows(shop, "select head, object_id from predictions.action_queue")
    assert queued and not {("pricing", product), ("supply", "product-20")} & set(queued)


def test_a_decided_order_is_placed_until_the_product_is_ordered(shop: Warehouse, night: Night):
    shop.execute(STOCK)
    decide(shop, "more", "supply", "overridden", product_id="product-40", site_id="all", value=37)
    tonight(shop, night)
    units, rule, _, reason = rows(shop, ORDER.format("product-40"))[0]
    assert (units, rule) == (37, "decision more") and "37 instead by decision more until 2017-12-20" in reason
    model, decided, overruled = rows(
        shop, "select model_value, decided_value, overruled from ops.decision_effects where head = 'supply'"
    )[0]
    assert (model, decided, overruled) == (0, 37, "no_order_above_the_reorder_point")
    shop.execute(
        """insert into raw.purchase_order_lines by name
        select 'po' as purchase_order_line_id, 'product-40' as product_id, 'site-1' as ship_to_site_id,
            timestamp '2017-12-02' as ordered_at, 37.0 as quantity_submitted"""
    )
    tonight(shop, night)
    assert rows(shop, ORDER.format("product-40"))[0][2] is None


def test_what_is_rejected_is_in_no_list_and_no_offer(shop: Warehouse, night: Night):
    held = night.model_copy(update={"experiments": ExperimentsConfig(holdout_ratio=0.15)})
    shown = "select distinct user_id from predictions.product_recommendations where product_id = '{}'"
    decide_actions(shop, held)
    assert ("user-36",) in rows(shop, "select user_id from predictions.product_recommendations where is_holdout")
    popular = rows(shop, "select min(product_id) from predictions.product_recommendations where user_id = 'everyone'")[
        0
    ][0]
    offered = rows(shop, "select max(user_id) from predictions.promotion_recommendations where is_recommended")[0][0]
    decide(shop, "nobody", "recommendation", "rejected", product_id="product-12")
    decide(shop, "not-her", "recommendation", "rejected", product_id=popular, user_id="user-36")
    decide(shop, "not-now", "promotion", "rejected", promotion_id="campaign-1", user_id=offered)
    decide(shop, "leave", "profile", "rejected", user_id="user-1")
    tonight(shop, held)
    assert rows(shop, shown.format("product-12")) == []
    assert ("user-36",) not in rows(shop, shown.format(popular)) and ("everyone",) in rows(shop, shown.format(popular))
    # The list of user-36 closes the gap.
    ranks = "select list(rank order by rank) from predictions.product_recommendations where user_id = 'user-36'"
    assert rows(shop, ranks) == [(list(range(1, 20)),)]
    offer = rows(
        shop,
        f"""select is_recommended, decision_id, primary_reason from predictions.promotion_recommendations
        where user_id = '{offered}'""",
    )[0]
    assert offer[:2] == (False, "not-now") and "not offered by decision not-now" in offer[2]
    assert rows(shop, "select * from predictions.action_queue where object_id = 'user-1'") == []


def test_decided_agents_are_planned_on_the_days_that_it_holds(shop: Warehouse, night: Night):
    shop.execute(SERVICE)
    queue = {"channel": "chat", "contact_reason": "where_is_my_order"}
    decide(shop, "fair", "service", "overridden", value=5, valid_until="2017-12-07", **queue)
    tonight(shop, night)
    planned = rows(
        shop, "select required_agents, decision_id from predictions.service_forecasts order by forecast_date"
    )
    assert planned[:3] == [(5, "fair")] * 3 and {decision for _, decision in planned[3:]} == {None}
    model = planned[3][0]
    # Ten hours a day at 30 for each agent more.
    assert rows(shop, "select distinct model_value, expected_gain, value_basis from ops.decision_effects") == [
        (model, (model - 5) * 300, "cost")
    ]


def test_the_last_word_counts_and_only_while_it_holds(shop: Warehouse, night: Night):
    for name, action, more in (
        ("first", "overridden", {"value": 2.6, "decided_at": "2017-11-01"}),
        ("then", "accepted", {"decided_at": "2017-11-02", "valid_until": None}),
        ("over", "overridden", {"value": 2.6, "valid_until": "2017-12-04", "product_id": "product-13"}),
        ("late", "overridden", {"value": 2.6, "decided_at": "2017-12-04 09:00", "product_id": "product-14"}),
    ):
        decide(shop, name, "pricing", action, **({"product_id": "product-12"} | more))
    tonight(shop, night)
    assert rows(shop, "select distinct decision_id from predictions.price_recommendations") == [(None,)]
    # 28 days back from the 4th of December; what was decided on the day itself is not known yet.
    assert rows(shop, "select head, accepted, rejected, overridden, standing from ops.decision_counts") == [
        ("pricing", 0, 0, 1, 0)
    ]


@pytest.mark.parametrize(
    ("row", "rule"),
    [
        ({"action": "overridden", "head": "pricing", "product_id": "p", "value": None}, "override_has_a_value"),
        ({"action": "overridden", "head": "pricing", "product_id": "p", "value": 0}, "override_has_a_value"),
        ({"action": "overridden", "head": "promotion", "promotion_id": "c", "value": 1}, "override_of_a_number"),
        ({"action": "rejected", "head": "pricing", "product_id": "p", "valid_until": None}, "end_is_said"),
        ({"action": "rejected", "head": "recommendation", "user_id": "u"}, "subject_is_named"),
        ({"action": "overridden", "head": "supply", "product_id": "p", "value": 1}, "subject_is_named"),
        ({"action": "overridden", "head": "service", "order_id": "o", "value": 1}, "subject_is_named"),
        ({"action": "rejected", "head": "service", "order_id": "o"}, None),
        ({"action": "accepted", "head": "pricing", "product_id": "p", "valid_until": None}, None),
    ],
)
def test_a_decision_that_says_too_little_breaks_a_rule(shop: Warehouse, row: dict[str, object], rule: str | None):
    decide(shop, "d", str(row.pop("head")), str(row.pop("action")), **row)
    results = check_table(shop, feed("decisions"))
    broken = {found.rule for found in results if not found.is_passed and found.severity == "critical"}
    assert broken == ({rule} if rule else set())
