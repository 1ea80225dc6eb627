"""What does not change with a day: the shop's size and seed, its catalogue and its people."""

from __future__ import annotations

from dataclasses import dataclass

from warehouse.sources.demo_shop.catalogue import Catalogue, make_catalogue
from warehouse.sources.demo_shop.luck import Luck
from warehouse.sources.demo_shop.people import People, make_people, users_by
from warehouse.sources.demo_shop.sizes import Size


@dataclass(frozen=True)
class Shop:
    """A shop and everybody whom it knows by now."""

    size: Size
    seed: int
    catalogue: Catalogue
    people: People

    @classmethod
    def founded(cls, size: Size, seed: int, day: int = 0) -> Shop:
        """The shop on the morning of that day, before anybody new arrives."""
        catalogue = make_catalogue(size, seed)
        return cls(size, seed, catalogue, make_people(size, seed, catalogue, 0, users_by(size, day - 1)))

    def with_arrivals(self, day: int) -> Shop:
        """The shop with those who arrive that day."""
        known, then = self.people.size, users_by(self.size, day)
        if then == known:
            return self
        arrivals = make_people(self.size, self.seed, self.catalogue, known, then)
        return Shop(self.size, self.seed, self.catalogue, self.people + arrivals)

    def luck(self, day: int) -> Luck:
        """The luck of that day."""
        return Luck(self.seed, day)
