"""Who was offered which campaign, and what was known on its first day."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

import duckdb
import pytest

from tasks.build_features import build_features
from tests.features.rows import EmptyShop, MakeNight, add_order, insert, read

AS_OF = date(2024, 10, 1)


@pytest.fixture(scope="module")
def campaigns(empty_shop: EmptyShop, make_night: MakeNight) -> Iterator[duckdb.DuckDBPyConnection]:
    """Six campaigns of a month: January to April, August, and one that runs tonight. Anna redeems each."""
    with empty_shop() as con:
        for user in ("anna", "bert"):
            add_order(con, f"{user}1", user, "2024-01-01", ("bread", 1, 5.0))
            add_order(con, f"{user}2", user, "2024-08-10", ("bread", 2, 5.0), ("milk", 1, 2.0))
        insert(con, "users", user_id="silent", has_marketing_consent=False)
        add_order(con, "silent1", "silent", "2024-01-01", ("bread", 1, 5.0))
        starts = {"jan": (1, 10), "feb": (2, 10), "mar": (3, 10), "apr": (4, 10), "aug": (8, 15), "now": (9, 20)}
        for name, (month, day) in starts.items():
            start = date(2024, month, day)
            insert(con, "campaigns", campaign_id=name, campaign_type="A" if name != "feb" else "B", starts_at=start,
                   ends_at=start + timedelta(days=30), coupon_count=2)  # fmt: skip
            insert(con, "campaign_products", campaign_id=name, product_id="bread")
            for user in ("anna", "bert"):
                con.execute(
                    "insert into raw.campaign_targets by name select $1 as campaign_id, $2 as user_id", [name, user]
                )
            insert(con, "redemptions", redemption_id=name, campaign_id=name, user_id="anna",
                   redeemed_at=start + timedelta(days=3))  # fmt: skip
        build_features(con, make_night(AS_OF))
        yield con


def test_folds(campaigns: duckdb.DuckDBPyConnection) -> None:
    query = """
        select campaign_id, cutoff_date, fold, list(user_id order by user_id)
        from samples.promotion group by all order by cutoff_date
    """
    assert read(campaigns, query) == [
        ("jan", date(2024, 1, 10), "train", ["anna", "bert"]),
        ("feb", date(2024, 2, 10), "train", ["anna", "bert"]),
        ("mar", date(2024, 3, 10), "train", ["anna", "bert"]),
        ("apr", date(2024, 4, 10), "validation", ["anna", "bert"]),
        ("aug", date(2024, 8, 15), "test", ["anna", "bert"]),
        # Tonight: whoever may be contacted.
        ("now", AS_OF, "serve", ["anna", "bert"]),
    ]


def test_labels_and_history(campaigns: duckdb.DuckDBPyConnection) -> None:
    query = """
        select user_id, label_redeemed, ctx_targets, ctx_same_type_targets, ctx_redemptions, ctx_redeemed_campaigns,
            ctx_redemption_recency_days, ctx_campaign_product_lines, ctx_campaign_product_lines_28d,
            ctx_campaign_product_spend, ctx_coupon_count, ctx_days_left, ctx_usual_redeemed_ratio, base_redeemed
        from samples.promotion where fold = 'test' order by user_id
    """
    usual = (4 + 1) / (8 + 10)
    assert read(campaigns, query) == [
        ("anna", 1, 4, 3, 4, 4, 124, 2, 1, 15.0, 2, 30, pytest.approx(usual), pytest.approx((4 + 3 * usual) / 7)),
        ("bert", 0, 4, 3, 0, 0, None, 2, 1, 15.0, 2, 30, pytest.approx(usual), pytest.approx(3 * usual / 7)),
    ]


def test_a_running_campaign_does_not_tell_on_itself(campaigns: duckdb.DuckDBPyConnection) -> None:
    query = """
        select label_redeemed, ctx_redeemed_campaigns, ctx_targets
        from samples.promotion where fold = 'serve' and user_id = 'anna'
    """
    assert read(campaigns, query) == [(None, 5, 5)]


def test_controls_where_a_campaign_went_out_at_random(con: duckdb.DuckDBPyConnection, make_night: MakeNight) -> None:
    """Of 120 users, half order every week and half every other. One campaign goes to every third user, one to those
    who order most: only the first can say what an offer adds. Users without consent are no controls."""
    con.execute(
        """insert into raw.users by name
        select 'u' || u as user_id, u % 10 <> 9 as has_marketing_consent from range(120) as users (u);
        insert into raw.orders by name
        select 'o' || u || '-' || week as order_id, 'u' || u as user_id,
            timestamp '2024-01-02 10:00' + to_days(cast(7 * week as integer)) as ordered_at
        from range(120) as users (u), range(26) as weeks (week)
        where u % 2 = 0 or week % 2 = 0;
        insert into raw.products by name select 'bread' as product_id, 'FOOD' as category;
        insert into raw.order_lines by name
        select order_id as order_line_id, order_id, 'bread' as product_id, 1 as quantity, 5 as sold_price
        from raw.orders;
        insert into raw.campaigns by name
        select unnest(['random', 'chosen']) as campaign_id, date '2024-05-01' as starts_at,
            date '2024-05-15' as ends_at;
        insert into raw.campaign_targets by name
        select 'random' as campaign_id, 'u' || u as user_id from range(0, 120, 3) as users (u)
        union all
        select 'chosen', 'u' || u from range(0, 120, 2) as users (u)"""
    )
    build_features(con, make_night(date(2024, 7, 1)))
    controls = read(con, "select campaign_id, count(*) from features.campaign_controls group by all")
    assert controls == [("random", 72)]
    assert read(
        con,
        """select is_offered, count(*), count(label_ordered), count(label_redeemed) from samples.promotion
        where campaign_id = 'random' and fold = 'test' group by all order by all""",
    ) == [(False, 72, 72, 0), (True, 40, 40, 40)]
    assert read(con, "select count(label_ordered) from samples.promotion where campaign_id = 'chosen'") == [(0,)]
