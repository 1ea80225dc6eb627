"""Scarce products: budgets hold, lists stay full, and what is scarce goes where it is worth most."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog
from scipy.sparse import csr_matrix, vstack

from mtl_models.decisions.allotment import Bids, Candidates, allot
from mtl_models.decisions.ranking import NOT_SHOWN, rank_lists


@dataclass
class Resident:
    """A market of arrays, `at_once` lists and products at a time."""

    user: np.ndarray
    product: np.ndarray
    value: np.ndarray
    need: np.ndarray
    at_once: int = 10**9

    @property
    def candidates(self) -> int:
        return len(self.user)

    def lists(self) -> Iterator[Candidates]:
        for part in self._parts(self.user):
            yield Candidates(
                list_number=self.user[part],
                number=part,
                product=self.product[part],
                value=self.value[part],
                need=self.need[part],
            )

    def by_product(self, bids: Iterable[Bids]) -> Iterator[Bids]:
        every = [vars(some) for some in bids]
        columns = {name: np.concatenate([some[name] for some in every]) for name in every[0]}
        order = np.lexsort((-columns["bid"], columns["product"]))
        for part in self._parts(columns["product"][order]):
            yield Bids(**{name: column[order[part]] for name, column in columns.items()})

    def _parts(self, group: np.ndarray) -> Iterator[np.ndarray]:
        return (np.flatnonzero(group // self.at_once == part) for part in np.unique(group // self.at_once))


class Shop:
    """Users with `candidates` products each, of which a list shows `length`; most products are scarce by `scarcity`."""

    def __init__(self, seed: int, users: int = 200, products: int = 40, candidates: int = 20, scarcity: float = 0.3):
        random = np.random.default_rng(seed)
        self.length, self.products = 5, products
        self.user = np.repeat(np.arange(users), candidates)
        self.product = np.concatenate([random.permutation(products)[:candidates] for _ in range(users)])
        appeal, margin = random.normal(-2, 1, products), np.exp(random.normal(0, 0.7, products))
        self.need = 1 / (1 + np.exp(-(appeal[self.product] + random.normal(0, 1, len(self.user)))))
        self.value = self.need * margin[self.product]
        wanted = self.sold(self.shown(np.ones(len(self.user), bool)))
        self.budget = np.where(random.random(products) < 0.7, scarcity * wanted, np.inf)

    def allot(self, at_once: int = 10**9):
        market = Resident(self.user, self.product, self.value, self.need, at_once)
        return allot(market, self.budget, self.length)

    def shown(self, may_show: np.ndarray) -> np.ndarray:
        """Whether each candidate is shown when lists are made of those that may be."""
        order = np.lexsort((-self.value, self.user))
        count = len(order)
        rank, _ = rank_lists(self.user[order], may_show[order], np.full(count, -1), np.full(count, np.nan), self.length)
        shown = np.empty(count, bool)
        shown[order] = rank != NOT_SHOWN
        return shown

    def sold(self, shown: np.ndarray) -> np.ndarray:
        return np.bincount(self.product, self.need * shown, minlength=self.products)

    def worth(self, may_show: np.ndarray) -> float:
        return float(self.value[self.shown(may_show)].sum())

    def optimum(self) -> float:
        """The worth that no lists can exceed: candidates may be shown in parts."""
        candidates = np.arange(len(self.user))
        slots = csr_matrix((np.ones(len(candidates)), (self.user, candidates)))
        needs = csr_matrix((self.need, (self.product, candidates)), shape=(self.products, len(candidates)))
        is_limited = np.isfinite(self.budget)
        limits = np.r_[np.full(slots.shape[0], self.length), self.budget[is_limited]]
        return float(-linprog(-self.value, vstack([slots, needs[is_limited]]), limits, bounds=(0, 1)).fun)

    def in_order(self, order: np.ndarray) -> np.ndarray:
        """Whether each candidate may be shown when budgets go to candidates in this order, until they are spent."""
        may_show = np.zeros(len(self.user), bool)
        for product in range(self.products):
            queue = order[self.product[order] == product]
            may_show[queue[np.cumsum(self.need[queue]) <= self.budget[product]]] = True
        return may_show


@given(st.integers(0, 10_000), st.floats(0, 1.2))
@settings(max_examples=30, deadline=None)
def test_whatever_is_chosen_of_an_allotment_stays_within_the_budgets(seed, scarcity):
    shop = Shop(seed, users=25, products=12, candidates=8, scarcity=scarcity)
    allotment = shop.allot()
    assert (shop.sold(allotment.is_allotted) <= shop.budget + 1e-9).all()
    assert allotment.is_allotted[np.isinf(shop.budget)[shop.product]].all()
    assert (allotment.price >= 0).all()
    assert (allotment.price[np.isinf(shop.budget)] == 0).all()


@pytest.mark.parametrize("at_once", [1, 7])
def test_lists_and_products_may_come_in_parts(at_once):
    shop = Shop(3, scarcity=0.3)
    whole, in_parts = shop.allot(), shop.allot(at_once)
    assert 0 < whole.is_allotted.mean() < 1
    assert (in_parts.is_allotted == whole.is_allotted).all()
    np.testing.assert_allclose(in_parts.price, whole.price, rtol=1e-9)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("scarcity", [0.1, 0.4, 0.8])
def test_within_two_percent_of_the_best_there_is(seed, scarcity):
    shop = Shop(seed, scarcity=scarcity)
    best = shop.optimum()
    ours = shop.worth(shop.allot().is_allotted)
    assert 0.98 * best <= ours <= best * (1 + 1e-9)


@pytest.mark.parametrize("seed", range(4))
def test_far_better_than_first_come_first_served(seed):
    shop = Shop(seed, scarcity=0.2)
    best, first_come = shop.optimum(), shop.worth(shop.in_order(np.arange(len(shop.user))))
    assert best - shop.worth(shop.allot().is_allotted) < 0.1 * (best - first_come)


def test_prices_prove_the_allotment_good():
    """Weak duality: no lists are worth more than all lists at these prices plus the budgets at these prices."""
    shop = Shop(0, scarcity=0.3)
    allotment = shop.allot()
    net = shop.value - allotment.price[shop.product] * shop.need
    best_of_lists = np.sort(np.maximum(net.reshape(200, -1), 0), axis=1)[:, -shop.length :].sum()
    is_limited = np.isfinite(shop.budget)
    bound = best_of_lists + allotment.price[is_limited] @ shop.budget[is_limited]
    assert shop.worth(allotment.is_allotted) >= 0.95 * bound


def test_lists_stay_full():
    shop = Shop(1, products=60, candidates=40, scarcity=0.1)
    shown = shop.shown(shop.allot().is_allotted)
    assert (np.bincount(shop.user[shown]) == shop.length).all()


def test_what_suffices_changes_nothing():
    shop = Shop(2, scarcity=1.0)
    shop.budget[:] = shop.sold(np.ones(len(shop.user), bool))
    allotment = shop.allot()
    assert allotment.is_allotted.all()
    assert not allotment.price.any()


def test_a_scarce_product_goes_to_the_user_who_has_nothing_else():
    """Both users would buy product 0 alike and one purchase is left; user 0 could see product 1 as well, worth 0.4."""
    user, product = np.array([0, 0, 1]), np.array([0, 1, 0])
    worth = np.array([0.5, 0.4, 0.5])
    allotment = allot(Resident(user, product, worth, worth), np.array([0.5, np.inf]), 1)
    assert allotment.is_allotted.tolist() == [False, True, True]
    assert allotment.price[0] == pytest.approx(0.2)


def test_nothing_of_what_is_sold_out():
    market = Resident(np.array([0, 0, 1]), np.array([0, 1, 0]), np.ones(3), np.full(3, 0.1))
    allotment = allot(market, np.array([0, np.inf]), 2)
    assert allotment.is_allotted.tolist() == [False, True, False]
