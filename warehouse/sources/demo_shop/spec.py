"""Which demo shop, and where its files lie."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import parse_qsl

from warehouse.sources.base import FeedError
from warehouse.sources.demo_shop.sizes import SIZES, Size

DEFAULT_SIZE = "small"
DEFAULT_SEED = 1
# Enough to meet every kind within a few weeks, far from what would stop a night.
DEFAULT_DIRT_RATIO = 0.001


@dataclass(frozen=True, kw_only=True)
class ShopSpec:
    """One demo shop: its size, the seed of all its luck, and the share of its rows that get dirt."""

    size: Size
    seed: int = DEFAULT_SEED
    dirt_ratio: float = DEFAULT_DIRT_RATIO

    @classmethod
    def parse(cls, location: str) -> ShopSpec:
        """The shop that `SIZE?seed=K&dirt_ratio=R&users=N&products=M` names, each part optional; FeedError names the
        nearest."""
        name, _, query = location.partition("?")
        options = dict(parse_qsl(query, keep_blank_values=True))
        for option in options:
            _require(option, ("seed", "dirt_ratio", "users", "products"), "The demo shop has no option")
        _require(name or DEFAULT_SIZE, SIZES, "There is no demo shop of size")
        named = SIZES[name or DEFAULT_SIZE]
        return cls(
            size=replace(
                named,
                users=int(_number(options, "users", "whole number from 100 on", named.users, r"[1-9]\d{2,7}")),
                products=int(_number(options, "products", "whole number from 10 on", named.products, r"[1-9]\d{1,6}")),
            ),
            seed=int(_number(options, "seed", "whole number from 0 to 999999", DEFAULT_SEED, r"\d{1,6}")),
            dirt_ratio=_number(options, "dirt_ratio", "share such as 0.01", DEFAULT_DIRT_RATIO, r"0?\.\d+|0|1"),
        )

    @property
    def name(self) -> str:
        """The name of its folders, such as demo_shop-small-1; different files never share a folder."""
        dirt = "" if self.dirt_ratio == DEFAULT_DIRT_RATIO else f"-dirt{self.dirt_ratio:g}"
        return f"demo_shop-{self.size.name}-{self.seed}{dirt}" + "".join(
            f"-{n}{what}" for what, n in self._own_numbers()
        )

    @property
    def location(self) -> str:
        """The location that names this shop in full."""
        own = "".join(f"&{what}={number}" for what, number in self._own_numbers())
        return f"{self.size.name}?seed={self.seed}&dirt_ratio={self.dirt_ratio:g}{own}"

    def _own_numbers(self) -> list[tuple[str, int]]:
        """What this shop has more or less of than others of its size."""
        named = SIZES[self.size.name]
        counts = [("users", self.size.users, named.users), ("products", self.size.products, named.products)]
        return [(what, number) for what, number, usual in counts if number != usual]

    def landing(self, home: Path) -> Path:
        """Where the files of its systems land."""
        return home / "landing" / self.name

    def truth(self, home: Path) -> Path:
        """Where its truth lies."""
        return home / "truth" / self.name


def _require(word: str, known: Collection[str], problem: str) -> None:
    if word not in known:
        near = get_close_matches(word, known, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"choose one of {', '.join(known)}."
        raise FeedError(f"{problem} {word!r}.", remedy=hint)


def _number(options: Mapping[str, str], name: str, meaning: str, default: float, pattern: str) -> float:
    text = options.get(name, f"{default}")
    if not re.fullmatch(pattern, text):
        raise FeedError(f"The demo shop's {name} is {text!r}.", remedy=f"give a {meaning}, as in {name}={default}.")
    return float(text)
