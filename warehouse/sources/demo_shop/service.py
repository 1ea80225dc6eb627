"""Customer service: who gets in touch today, how long agents take, and how long people wait.

The agents of a queue work as one that is as many times as fast, first come, first served, on a clock that runs only
while service is open; what they leave in the evening waits until the next morning.
"""

from __future__ import annotations

import numpy as np

from warehouse.sources.demo_shop import laws
from warehouse.sources.demo_shop.arrays import Floats, Ints, Rows
from warehouse.sources.demo_shop.names import A_DAY
from warehouse.sources.demo_shop.shop import Shop
from warehouse.sources.demo_shop.state import TICKET, State

OPENS_MINUTE, OPEN_MINUTES = 9 * 60, 10 * 60
WAGE_CENTS_PER_HOUR = 1_600
# An answer after so many open minutes is late: the customer gets a voucher.
ANSWER_WITHIN_MINUTES, COMPENSATION_CENTS = 120, 500
HANDLE_MINUTES = np.array([26.0, 50.0, 46.0, 36.0, 20.0], np.float32)
_CHANNEL_EFFORT = np.array([1.0, 0.85, 0.75], np.float32)
QUESTION_SHARE = 0.004
_ANNOYANCE_OF_WAITING = 0.6
NOTHING = -1


def contacts(shop: Shop, state: State, visitor: Ints, looked_at: Ints) -> Rows:
    """Today's tickets, not yet answered, in the order of their creation: customers who wait for a parcel, those who
    have it, and visitors with a question about what they looked at. Marks the orders as contacted."""
    about_orders = _about_orders(shop, state)
    asks = shop.luck(state.day).uniform("asks", visitor) < QUESTION_SHARE * shop.people.contact_rate[visitor]
    tickets = np.zeros(len(about_orders) + int(asks.sum()), TICKET)
    tickets[: len(about_orders)] = about_orders
    questions = tickets[len(about_orders) :]
    questions["user"], questions["product"] = visitor[asks], looked_at[asks]
    questions["order"], questions["reason"] = NOTHING, laws.QUESTION
    _describe(shop, state, tickets)
    tickets = tickets[np.lexsort((tickets["order"], tickets["user"], tickets["created"]))]
    tickets["number"] = state.next_ticket + np.arange(len(tickets))
    state.next_ticket += len(tickets)
    return tickets


def _about_orders(shop: Shop, state: State) -> Rows:
    orders, day, luck = state.orders, state.day, shop.luck(state.day)
    user = orders["user"]
    is_waiting = orders["deliver_day"] > day
    late = np.maximum(day - orders["promised_day"], 0)
    rate = shop.people.contact_rate[user]
    where, question = laws.hazard_before_delivery(late, rate, orders["is_messaged"])
    draw = luck.uniform("where is my order", user, orders["day"])
    asks_where = is_waiting & (draw < where)
    asks_else = is_waiting & ~asks_where & (draw < where + (1 - where) * question)
    has_trouble = orders["contact_day"] == day
    is_new = (asks_where | asks_else | has_trouble) & ~orders["is_contacted"] & (orders["day"] < day)
    reason = np.where(asks_where, laws.WHERE, np.where(asks_else, laws.QUESTION, orders["contact_reason"]))
    orders["is_contacted"] |= is_new
    tickets = np.zeros(int(is_new.sum()), TICKET)
    tickets["user"], tickets["order"] = user[is_new], orders["number"][is_new]
    tickets["product"] = np.where(reason == laws.WHERE, NOTHING, orders["first_product"])[is_new]
    tickets["reason"] = reason[is_new]
    return tickets


def _describe(shop: Shop, state: State, tickets: Rows) -> None:
    """Channel, moment and handling time; one user and reason have one luck a day."""
    luck, ids = shop.luck(state.day), (tickets["user"], tickets["reason"])
    tickets["channel"] = shop.people.ticket_channel[tickets["user"]]
    moment = (luck.uniform("ticket hour", *ids) + luck.uniform("later ticket hour", *ids)) / 2
    tickets["created"] = state.day * A_DAY + (7 * 3600 + moment * 15 * 3600).astype(np.int64)
    usual = HANDLE_MINUTES[tickets["reason"]] * _CHANNEL_EFFORT[tickets["channel"]]
    tickets["minutes"] = usual * np.exp(0.45 * luck.normal("handling", *ids) - 0.1)


def answer(shop: Shop, state: State, tickets: Rows, agents: Ints, is_pooled: bool) -> None:
    """Fill when each ticket was answered and solved, waiting (open minutes) and satisfaction; keeps what is left."""
    queue = np.zeros(len(tickets), int) if is_pooled else tickets["channel"]
    left = state.backlog.astype(np.float64)
    if is_pooled:
        left = np.append(left.sum(), np.zeros(len(left) - 1))
    start = np.zeros(len(tickets))
    for number, staff in enumerate(agents):
        mine = np.flatnonzero(queue == number)
        start[mine], left[number] = _first_come(
            _open_minute(tickets["created"][mine], state.day),
            tickets["minutes"][mine],
            left[number],
            max(int(staff), 0),
        )
    state.backlog = left.astype(np.float32)
    arrived = _open_minute(tickets["created"], state.day)
    tickets["waiting"] = start - arrived
    tickets["replied"] = np.maximum(_moment(start, state.day), tickets["created"] + 60)
    tickets["solved"] = _moment(start + tickets["minutes"], state.day)
    tickets["solved"] = np.maximum(tickets["solved"], tickets["replied"] + 60)
    _judge(shop, state, tickets)


def _first_come(arrived: Floats, minutes: Floats, backlog: float, staff: int) -> tuple[Floats, float]:
    """When each is answered, on the clock of open minutes of today, and the work left at closing time, minutes.
    Without staff everything waits for tomorrow."""
    if staff == 0:
        return np.full(len(arrived), float(OPEN_MINUTES)), backlog + float(minutes.sum())
    work = np.append(backlog, minutes) / staff
    done = np.cumsum(work)
    arrived = np.append(0.0, arrived)
    idle = np.maximum.accumulate(arrived - (done - work))
    finish = done + idle
    return (finish - work)[1:], max(float(finish[-1]) - OPEN_MINUTES, 0.0) * staff


def _open_minute(second: Ints, day: int) -> Floats:
    return np.clip((second - day * A_DAY) / 60 - OPENS_MINUTE, 0, OPEN_MINUTES)


def _moment(open_minute: Floats, day: int) -> Ints:
    """The second on the calendar of a minute on the clock that runs only while service is open."""
    days, minute = np.divmod(open_minute, OPEN_MINUTES)
    return ((day + days) * A_DAY + (OPENS_MINUTE + minute) * 60).astype(np.int64)


def _judge(shop: Shop, state: State, tickets: Rows) -> None:
    """Long waits cost satisfaction, contacts again, and patience."""
    luck, ids = shop.luck(state.day), (tickets["user"], tickets["reason"])
    wait = np.log1p(tickets["waiting"] / 60)
    score = 4.5 - 1.1 * wait + 0.7 * luck.normal("satisfaction", *ids)
    tickets["satisfaction"] = np.clip(np.rint(score), 1, 5)
    tickets["reopened"] = luck.uniform("asks again", *ids) < np.minimum(0.04 + 0.06 * wait, 0.5)
    annoyance = np.where(tickets["waiting"] > ANSWER_WITHIN_MINUTES, _ANNOYANCE_OF_WAITING, 0)
    np.add.at(state.annoyance, tickets["user"], annoyance.astype(np.float32))
