"""The contracts: every feed, every published table and the diary, declared once."""

from __future__ import annotations

from difflib import get_close_matches

from warehouse.contracts.feeds_core import CORE_FEEDS
from warehouse.contracts.feeds_decisions import DECISIONS
from warehouse.contracts.feeds_rules import RULE_FEEDS
from warehouse.contracts.feeds_supply import SUPPLY_FEEDS
from warehouse.contracts.kept import KEPT_TABLES
from warehouse.contracts.ops import OPS_TABLES
from warehouse.contracts.predictions import PUBLISHED_TABLES
from warehouse.contracts.table import Column, Rule, Table

# Entities before the facts that refer to them: the order in which feeds are loaded and checked.
FEEDS: tuple[Table, ...] = (*CORE_FEEDS, *SUPPLY_FEEDS, *RULE_FEEDS, DECISIONS)
ALL_TABLES: tuple[Table, ...] = (*FEEDS, *PUBLISHED_TABLES, *OPS_TABLES, *KEPT_TABLES)


def feed(name: str) -> Table:
    """The feed of that name; LookupError names the nearest one."""
    for table in FEEDS:
        if table.name == name:
            return table
    near = get_close_matches(name, [table.name for table in FEEDS], n=1)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise LookupError(f"there is no feed {name!r}{hint}")


__all__ = [
    "ALL_TABLES",
    "FEEDS",
    "KEPT_TABLES",
    "OPS_TABLES",
    "PUBLISHED_TABLES",
    "Column",
    "Rule",
    "Table",
    "feed",
]
