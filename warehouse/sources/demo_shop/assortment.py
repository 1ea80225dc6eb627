"""What a shop sells: departments and their subcategories, and how each is bought."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Department:
    """`price`: usual regular price, EUR; `sensitivity`: how strongly utility falls in log price; `staple_share`: how
    much of it is bought again and again; `units`: chance of one unit more; `returns`: share that comes back of a
    product of medium quality; `swing` and `peak_day`: size of the season and the day of the year of its height."""

    name: str
    subcategories: tuple[str, str, str, str]
    price: float
    sensitivity: float
    staple_share: float
    units: float
    returns: float
    swing: float
    peak_day: int
    is_perishable: bool = False


DEPARTMENTS = (
    Department(
        name="Groceries",
        subcategories=("Coffee & Tea", "Snacks", "Pasta & Rice", "Breakfast"),
        price=5.5, sensitivity=3.0, staple_share=1.0, units=0.30, returns=0.025, swing=0.05, peak_day=350,
    ),
    Department(
        name="Fresh Food",
        subcategories=("Dairy", "Fruit & Vegetables", "Bakery", "Meat & Fish"),
        price=4.5, sensitivity=1.9, staple_share=1.0, units=0.35, returns=0.02, swing=0.10, peak_day=160,
        is_perishable=True,
    ),
    Department(
        name="Drinks",
        subcategories=("Water", "Juice", "Beer & Wine", "Soft Drinks"),
        price=7.0, sensitivity=4.2, staple_share=0.9, units=0.35, returns=0.02, swing=0.30, peak_day=190,
    ),
    Department(
        name="Household",
        subcategories=("Laundry", "Cleaning", "Paper", "Kitchen"),
        price=9.0, sensitivity=3.6, staple_share=0.8, units=0.20, returns=0.03, swing=0.05, peak_day=90,
    ),
    Department(
        name="Beauty",
        subcategories=("Skin Care", "Hair Care", "Make-up", "Fragrance"),
        price=15.0, sensitivity=1.5, staple_share=0.5, units=0.12, returns=0.06, swing=0.10, peak_day=345,
    ),
    Department(
        name="Pets",
        subcategories=("Dog", "Cat", "Small Animals", "Aquarium"),
        price=13.0, sensitivity=2.4, staple_share=0.8, units=0.25, returns=0.03, swing=0.03, peak_day=60,
    ),
    Department(
        name="Electronics",
        subcategories=("Audio", "Phone Accessories", "Computing", "Smart Home"),
        price=32.0, sensitivity=3.3, staple_share=0.03, units=0.05, returns=0.11, swing=0.30, peak_day=345,
    ),
    Department(
        name="Sport & Outdoor",
        subcategories=("Camping", "Running", "Cycling", "Fitness"),
        price=26.0, sensitivity=2.2, staple_share=0.05, units=0.06, returns=0.10, swing=0.35, peak_day=170,
    ),
)  # fmt: skip

SUBCATEGORIES_EACH = 4
DEPARTMENT_NAMES = tuple(department.name for department in DEPARTMENTS)
SUBCATEGORIES = tuple(name for department in DEPARTMENTS for name in department.subcategories)
