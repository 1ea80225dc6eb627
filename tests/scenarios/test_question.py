"""Questions as they are written, and what is wrong with them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest

from flows.what_if_words import PROMOTION_EXAMPLE, read_question
from tasks.scenarios.question import Promotion, ScenarioError


def test_a_question_is_read_in_an_order_of_its_own() -> None:
    question = read_question(
        ["p2=5", "p1=4.99"], ["category='Fresh Food' discount=12.5% from=2026-07-06 to=2026-07-12"]
    )
    assert question.prices == (("p1", Decimal("4.99")), ("p2", Decimal(5)))
    assert question.promotions == (
        Promotion(
            discount_percent=Decimal("12.5"),
            first_day=date(2026, 7, 6),
            last_day=date(2026, 7, 12),
            categories=("Fresh Food",),
        ),
    )
    again = read_question(["p1=4.99", "p2=5"], [str(question.promotions[0])])
    assert again == question and again.scenario_id("20260704-x") == question.scenario_id("20260704-x")
    assert again.scenario_id("20260704-x") != again.scenario_id("20260704-y")
    assert again.scenario_id("20260704-x").startswith("20260704-")


def test_a_product_id_may_hold_an_equals_sign() -> None:
    assert read_question(["size=XL=4.99"], []).prices == (("size=XL", Decimal("4.99")),)


@pytest.mark.parametrize(
    ("price", "words"),
    [
        ("p1", "names no product"),
        ("=3", "names no product"),
        ("p1=cheap", "'cheap' is no number"),
        ("p1=-1", "above 0"),
        ("p1=0", "above 0"),
        ("p1=nan", "is no number"),
        ("p1=1.23456", "four decimals"),
    ],
)
def test_a_price_that_cannot_be_read_says_why(price: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=f"{words}.*Remedy"):
        read_question([price], [])


def test_one_price_for_each_product() -> None:
    with pytest.raises(ScenarioError, match="names p1 twice"):
        read_question(["p1=1", "p1=2"], [])


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("products=P1,P2", "", "neither products nor a category"),
        ("discount=20%", "", "lacks discount="),
        ("discount=20%", "discount=100%", "between 0 and 100%"),
        ("discount=20%", "discount=0%", "between 0 and 100%"),
        ("discount=20%", "discount=some", "'some' is no number"),
        ("to=2026-07-12", "to=2026-07-05", "before it starts"),
        ("to=2026-07-12", "to=tomorrow", "'tomorrow', which is no day"),
        ("from=", "since=", "'since', which is none of products="),
        ("from=", "to=2026-07-06 from=", "to= twice"),
        ("products=", "products='", "cannot be read"),
    ],
)
def test_a_promotion_that_cannot_be_read_says_why_and_shows_one(old: str, new: str, words: str) -> None:
    with pytest.raises(ScenarioError, match=words) as told:
        read_question([], [PROMOTION_EXAMPLE.replace(old, new)])
    assert PROMOTION_EXAMPLE in str(told.value)
