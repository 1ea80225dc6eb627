"""Credits in words."""

from __future__ import annotations

import pytest

from tasks.explanations.sentences import Measure, sentence
from tasks.explanations.topics import saying_of

ORDER = Measure("the chance of an order", "odds")
SALES = Measure("the sales expected", "amount")
PRICE = Measure("the price", "elasticity")


@pytest.mark.parametrize(
    ("feature", "value", "credit", "rank", "measure", "expected"),
    [
        (("user", "recency_days"), 41.0, -1.4, 1, ORDER,
         "The last order 41 days ago lowers the chance of an order strongly, which counts most."),
        (("user", "recency_days"), 1.0, 0.5, 2, ORDER, "The last order 1 day ago raises the chance of an order."),
        (("user", "recency_days"), 21.0, 0.1, 2, ORDER,
         "The last order 21 days ago raises the chance of an order a little."),
        (("user", "order_days_28d"), 0.0, -0.5, 3, ORDER,
         "Ordering on 0 of the last 28 days lowers the chance of an order."),
        (("user", "spend_84d"), 1234.5, 0.5, 2, ORDER,
         "Spending 1,234.50 EUR in the last 84 days raises the chance of an order."),
        (("user", "recency_days"), None, 0.5, 2, ORDER,
         "The last order (unknown) days ago raises the chance of an order."),
        (("product", "units_28d"), 8.24, 0.25, 2, SALES,
         "Selling 8.2 units in 28 days raises the sales expected by 28%."),
        (("product", "brand"), "B7", -0.25, 2, SALES, "The brand B7 lowers the sales expected by 22%."),
        (("history", "sd_13w"), 3.0, 1.0, 2, SALES, "How much its sales swing raises the sales expected to 2.7 times."),
        (("product", "discounted_share_84d"), 0.59, 0.4, 2, PRICE,
         "Selling 59% at a discount makes buyers mind the price less strongly."),
        (("product", "price"), 2.5, -0.2, 2, PRICE, "The price of 2.50 EUR makes buyers mind the price more."),
        (("context", "ctx_days_late"), 1.0, 2.0, 2, ORDER, "A delay of 1 day raises the chance of an order strongly."),
        (("user", "shoe_size"), 43.0, 0.5, 2, ORDER, "The user's shoe size of 43 raises the chance of an order."),
        (("context", "ctx_calls_7d"), 3.0, 0.5, 2, ORDER, "Calls in 7 days of 3 raises the chance of an order."),
    ],
)  # fmt: skip
def test_a_credit_is_a_sentence(
    feature: tuple[str, str], value: float | str | None, credit: float, rank: int, measure: Measure, expected: str
) -> None:
    assert sentence(saying_of(feature).words, value, credit, rank, measure, "EUR") == expected


def test_features_that_say_the_same_are_one_topic() -> None:
    spend = {saying_of(("user", name)).topic for name in ("spend_28d", "spend_84d", "spend_mean")}
    assert len(spend) == 1
    assert saying_of(("user", "lines_28d")).topic != saying_of(("product", "lines_28d")).topic
    assert saying_of(("user", "one_thing")).topic != saying_of(("user", "another")).topic
