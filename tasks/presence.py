"""Presence: whether each user is still there and how soon they will order, as known at every cut-off."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import duckdb
import polars as pl
import torch
from torch import Tensor

from mtl_models.presence import Habits, follow, learn_habits, look_ahead, order_chance

# Users and newest days that habits are learned from: more say the same.
LEARNED_USERS, LEARNED_DAYS = 500, 182
# Users followed at once, so that a large shop fits into memory.
CHUNK = 50_000
COLUMNS = ("presence", "order_probability_7d", "order_probability_28d", "expected_order_days_28d")


@dataclass(frozen=True)
class Seen:
    """Some users' days: `came` and `ordered` [users, days], and the `first` day of each, negative before day 0."""

    first: Tensor
    came: Tensor
    ordered: Tensor


def estimate_presence(con: duckdb.DuckDBPyConnection) -> None:
    """Write the temp table `presence`, one row per row of `viewpoints` whose user had shown up by then; none before the
    first of `habit_dates`."""
    columns = ", ".join(f"{name} double" for name in COLUMNS)
    con.execute(f"create or replace temp table presence (user_index integer, cutoff_date date, {columns})")
    ((first_date, users),) = con.execute(
        "select first_date, (select max(user_index) + 1 from first_seen) from presence_window"
    ).fetchall()
    learned = [day for (day,) in con.execute("from habit_dates where learned_date is not null order by 1").fetchall()]
    for date_learned, until in zip(learned, [*learned, date.max][1:], strict=True):
        habits = _learn(con, first_date, date_learned)
        for low in range(0, users, CHUNK):
            looked_at = con.execute(
                "select cutoff_date, user_index from viewpoints join staging.users using (user_id) join first_seen"
                " using (user_index) where user_index >= $1 and user_index < $2 and cutoff_date >= $3"
                " and cutoff_date < $4 and cutoff_date > cast($5 as date) + greatest(first_day, 0) order by all",
                [low, low + CHUNK, date_learned, until, first_date],
            ).pl()
            if len(looked_at):
                _write(con, habits, first_date, looked_at, low)


def _learn(con: duckdb.DuckDBPyConnection, first_date: date, learned: date) -> Habits:
    """From some who had ordered by then, picked by their ids."""
    days = (learned - first_date).days
    users = con.execute(
        "select user_index, first_day from first_seen join staging.users using (user_index)"
        " where first_order_day < $1 order by md5(user_id) limit $2",
        [days, LEARNED_USERS],
    ).pl()
    seen, begin = _seen(con, users.sort("user_index"), days), max(days - LEARNED_DAYS, 0)
    weekday = (first_date.weekday() + begin) % 7
    return learn_habits(seen.came[:, begin:], seen.ordered[:, begin:], seen.first - begin, weekday)


def _write(con: duckdb.DuckDBPyConnection, habits: Habits, first_date: date, looked_at: pl.DataFrame, low: int) -> None:
    """The rows of the users from `low` on who are looked at: (cutoff_date, user_index), in this order."""
    cutoffs = looked_at["cutoff_date"].unique().sort().to_list()
    days = [(cutoff - first_date).days for cutoff in cutoffs]
    users = con.execute(
        "select user_index, first_day from first_seen where user_index >= $1 and user_index < $2 order by user_index",
        [low, low + CHUNK],
    ).pl()
    seen, found = _seen(con, users, days[-1]), []
    known = follow(habits, seen.came, seen.first, first_date.weekday(), days)
    for cutoff, day, (present, away) in zip(cutoffs, days, known, strict=True):
        wanted = looked_at.filter(pl.col("cutoff_date") == cutoff)
        rows = _rows(users, wanted)
        came, ordered = (flags[rows, :day].sum(dim=1) for flags in (seen.came, seen.ordered))
        chance = order_chance(habits, came, ordered)
        outlook = look_ahead(habits, present[rows], away[rows], chance, cutoff.weekday())
        found.append(wanted.with_columns(pl.Series(name, getattr(outlook, name).numpy()) for name in COLUMNS))
    con.register("presence_rows", pl.concat(found))
    con.execute(f"insert into presence select user_index, cutoff_date, {', '.join(COLUMNS)} from presence_rows")
    con.unregister("presence_rows")


def _rows(users: pl.DataFrame, wanted: pl.DataFrame) -> Tensor:
    """Where the users of `wanted` are among `users`, ascending."""
    return torch.from_numpy(users["user_index"].search_sorted(wanted["user_index"]).to_numpy().astype("int64"))


def _seen(con: duckdb.DuckDBPyConnection, users: pl.DataFrame, days: int) -> Seen:
    """Days 0 to `days` - 1 of these users (user_index, first_day), ascending."""
    con.register("presence_users", users)
    rows = con.execute(
        "select user_index, day, has_order from days_seen join presence_users using (user_index)"
        " where day >= 0 and day < $1",
        [days],
    ).pl()
    con.unregister("presence_users")
    row = _rows(users, rows)
    day = torch.from_numpy(rows["day"].to_numpy().astype("int64"))
    came, ordered = (torch.zeros(len(users), days, dtype=torch.bool) for _ in range(2))
    came[row, day] = True
    ordered[row, day] = torch.from_numpy(rows["has_order"].to_numpy().copy())
    return Seen(torch.from_numpy(users["first_day"].to_numpy().astype("int64")), came, ordered)
