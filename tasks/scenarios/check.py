"""Whether a question has an answer: prices that can change, days that are forecast, promotions that meet no other."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from difflib import get_close_matches

import duckdb

from tasks.decisions.context import run_step
from tasks.night import Night
from tasks.scenarios.question import Promotion, Question, ScenarioError
from warehouse.connect import read_sql

_PRODUCTS = 'fivefold sql "select product_id from predictions.price_recommendations_latest" lists those with a price'
# The heads that answer for prices and promotions.
_ANSWERING = ("pricing", "supply")


def check_question(con: duckdb.DuckDBPyConnection, night: Night, question: Question) -> list[str]:
    """Create `asked_prices` and `asked_promotions`, and say which products of a category are left out, and why.

    Decisions must be prepared. ScenarioError names what stands in the way of an answer.
    """
    _check_heads(con, night)
    run_step(con, "priced_products")
    con.execute(read_sql("scenarios/steps/askable_products.sql"))
    con.execute("create or replace temp table asked_prices (product_id varchar, price decimal(18, 4))")
    con.execute(
        """create or replace temp table asked_promotions (
            promotion_id varchar, product_id varchar, is_of_category boolean, discount_percent double,
            first_day date, last_day date, channel varchar, placement varchar
        )"""
    )
    obstacles = dict(con.execute("select product_id, obstacle from askable_products").fetchall())
    _refuse([product_id for product_id, _ in question.prices], obstacles)
    for product_id, price in question.prices:
        con.execute("insert into asked_prices values ($1, $2)", [product_id, price])
    for number, promotion in enumerate(question.promotions, start=1):
        _ask_promotion(con, night, _promotion_id(number), promotion, obstacles)
    return _settle_conflicts(con, question)


def _check_heads(con: duckdb.DuckDBPyConnection, night: Night) -> None:
    found = con.execute(
        """select head, reason from ops.head_status
        where run_id = $1 and list_contains($2, head) and status not in ('released', 'champion') order by head""",
        [night.run_id, list(_ANSWERING)],
    ).fetchall()
    for head, reason in found:
        raise ScenarioError(
            f"the head {head} is not released by night {night.run_id} ({reason}), so that it can answer nothing. "
            "Remedy: fivefold status says what it lacks."
        )


def _refuse(product_ids: Iterable[str], obstacles: dict[str, str | None]) -> None:
    """Raise for the first product that cannot be asked about."""
    for product_id in product_ids:
        if product_id not in obstacles:
            near = get_close_matches(product_id, list(obstacles), n=1)
            hint = f"; did you mean {near[0]}?" if near else "."
            raise ScenarioError(f"there is no product {product_id}{hint} Remedy: {_PRODUCTS}.")
        if obstacle := obstacles[product_id]:
            raise ScenarioError(f"product {product_id} {obstacle}. Remedy: leave it out; {_PRODUCTS}.")


def _ask_promotion(
    con: duckdb.DuckDBPyConnection,
    night: Night,
    promotion_id: str,
    promotion: Promotion,
    obstacles: dict[str, str | None],
) -> None:
    last_forecast = night.as_of_date + timedelta(days=night.features.horizon_days - 1)
    if promotion.first_day < night.as_of_date:
        raise ScenarioError(
            f"--promotion {str(promotion)!r} starts in the past: night {night.run_id} is as of {night.as_of_date}. "
            f"Remedy: start on {night.as_of_date} or later."
        )
    if promotion.last_day > last_forecast:
        raise ScenarioError(
            f"--promotion {str(promotion)!r} goes on after the last forecast day. "
            f"Remedy: end on {last_forecast} or earlier."
        )
    _refuse(promotion.product_ids, obstacles)
    _check_categories(con, promotion)
    con.execute(
        """insert into asked_promotions
        select
            $promotion_id, product_id, not list_contains($products, product_id), $percent, $first_day, $last_day,
            $channel, $placement
        from askable_products
        where list_contains($products, product_id)
            or (list_contains($categories, category) and is_offered)""",
        {
            "promotion_id": promotion_id,
            "products": list(promotion.product_ids),
            "categories": list(promotion.categories),
            "percent": float(promotion.discount_percent),
            "first_day": promotion.first_day,
            "last_day": promotion.last_day,
            **_place(con, promotion.channel),
        },
    )


def _check_categories(con: duckdb.DuckDBPyConnection, promotion: Promotion) -> None:
    known = [
        name
        for (name,) in con.execute(
            "select distinct category from askable_products where category is not null order by all"
        ).fetchall()
    ]
    for category in promotion.categories:
        if category not in known:
            raise ScenarioError(f"there is no category {category!r}. Remedy: name one of {', '.join(known)}.")


def _place(con: duckdb.DuckDBPyConnection, channel: str | None) -> dict[str, str]:
    """The channel and the place in it where the shop runs most of its discounts."""
    found = con.execute(
        """select coalesce(channel, 'unknown'), coalesce(placement, 'unknown'), count(*) as promotions
        from raw.promotions
        where discount_type <> 'placement' or channel = $1
        group by all
        order by promotions desc, 1, 2""",
        [channel],
    ).fetchall()
    for known, placement, _ in found:
        if channel in (None, known):
            return {"channel": known, "placement": placement}
    if channel is None:
        return {"channel": "unknown", "placement": "unknown"}
    names = ", ".join(sorted({known for known, _, _ in found})) or "none"
    raise ScenarioError(f"no promotion of the shop ran in channel {channel!r}. Remedy: name one of {names}.")


def _settle_conflicts(con: duckdb.DuckDBPyConnection, question: Question) -> list[str]:
    """Refuse named products that are promoted already; leave those of a category out, and say so."""
    both = con.execute(
        "select product_id from asked_promotions where product_id in (select product_id from asked_prices) order by all"
    ).fetchall()
    for (product_id,) in both:
        raise ScenarioError(
            f"product {product_id} is named by --price and by --promotion. Remedy: ask for its price or its discount."
        )
    con.execute(read_sql("scenarios/steps/promoted_already.sql"))
    conflicts = con.execute(
        """select product_id, other_promotion_id, promoted_already.first_day, promoted_already.last_day
        from promoted_already join asked_promotions using (promotion_id, product_id)
        where not is_of_category order by all limit 1"""
    ).fetchall()
    for product_id, other, first_day, last_day in conflicts:
        raise ScenarioError(
            f"product {product_id} is in promotion {other} from {first_day} to {last_day} already. "
            "Remedy: choose other days, or leave it out."
        )
    con.execute(read_sql("scenarios/steps/left_out.sql"))
    left_out = con.execute("select why, count(*) from left_out group by why order by why").fetchall()
    con.execute(
        """delete from asked_promotions
        where exists (
            select 1 from left_out
            where left_out.promotion_id = asked_promotions.promotion_id
                and left_out.product_id = asked_promotions.product_id
        )"""
    )
    notes = [f"{count} products of a category are left out: each {why}" for why, count in left_out]
    remaining = {name for (name,) in con.execute("select distinct promotion_id from asked_promotions").fetchall()}
    for number, promotion in enumerate(question.promotions, start=1):
        if _promotion_id(number) not in remaining:
            raise ScenarioError(
                f"--promotion {str(promotion)!r} has no product left ({'; '.join(notes) or 'none is on sale'}). "
                "Remedy: choose other days or products."
            )
    return notes


def _promotion_id(number: int) -> str:
    return f"what-if {number}"
