"""Settings of the holdout and of experiments: who is treated otherwise, so that what decisions earn can be measured."""

from __future__ import annotations

from datetime import date
from itertools import combinations
from typing import Literal, Self

from pydantic import Field, model_validator

from mtl_models.config import Frozen

HOLDOUT, HELD_OUT, SERVED = "holdout", "held_out", "served"
# A name is part of `experiment/variant, experiment/variant` on published rows.
_NAME = r"^[A-Za-z0-9][A-Za-z0-9_.-]*$"
# What a variant may change for its users.
POLICIES = ("exploration_ratio", "order_by")


class Variant(Frozen):
    """One arm of an experiment. What it leaves empty is decided as for everyone else."""

    name: str = Field(pattern=_NAME, description="Name of the variant; the first one is the control")
    share: float = Field(gt=0, le=1, description="Share of the users who are not held out")
    exploration_ratio: float | None = Field(None, ge=0, le=0.5, description="Share of list positions used to learn")
    order_by: Literal["margin", "purchases"] | None = Field(None, description="What the lists earn most of")


class Experiment(Frozen):
    """Users divided at random, by a hash of their id, between two or more variants."""

    name: str = Field(pattern=_NAME, description="Name of the experiment")
    salt: str = Field("", description="What is hashed with the user id; empty means the name")
    starts_on: date = Field(description="First as-of date of its nights")
    ends_on: date | None = Field(None, description="First as-of date after it; empty means open")
    variants: tuple[Variant, ...] = Field(min_length=2, description="Its arms; a rest of the shares is in none")

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        names = [variant.name for variant in self.variants]
        if len(set(names)) < len(names):
            raise ValueError(f"experiment {self.name!r} has two variants of one name. Remedy: give each its own")
        if sum(variant.share for variant in self.variants) > 1 + 1e-9:
            raise ValueError(f"the shares of experiment {self.name!r} add up to more than 1. Remedy: lower them")
        if self.ends_on is not None and self.ends_on <= self.starts_on:
            raise ValueError(f"experiment {self.name!r} does not end after it starts. Remedy: correct the dates")
        return self

    @property
    def key(self) -> str:
        """What is hashed with the user id."""
        return self.salt or self.name

    @property
    def changes(self) -> set[str]:
        """The policies that one of its variants changes."""
        return {policy for policy in POLICIES if any(getattr(arm, policy) is not None for arm in self.variants)}

    def meets(self, other: Experiment) -> bool:
        """Whether both run on some day."""
        return all(a.starts_on < (b.ends_on or date.max) for a, b in ((self, other), (other, self)))


class ExperimentsConfig(Frozen):
    """Holdout and experiments; docs/experiments.md says what they change."""

    holdout_ratio: float = Field(
        0.0, ge=0, le=0.5, description="Share of users who get the shop's default instead of the model's decisions"
    )
    holdout_salt: str = Field(
        "holdout", min_length=1, description="What is hashed with the user id; another one draws other users"
    )
    holdout_starts_on: date | None = Field(
        None, description="First as-of date with a holdout; nights of earlier days, which nobody was shown, have none"
    )
    tests: tuple[Experiment, ...] = Field((), description="Experiments: [[experiments.tests]], with their variants")

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        for first, second in combinations(self.tests, 2):
            if first.name == second.name:
                raise ValueError(f"two experiments are called {first.name!r}. Remedy: rename one")
            if first.key == second.key:
                raise ValueError(
                    f"{first.name!r} and {second.name!r} divide users alike. Remedy: give one another salt"
                )
            if first.meets(second) and (both := sorted(first.changes & second.changes)):
                raise ValueError(f"{first.name!r} and {second.name!r} change {both[0]} at one time. Remedy: move one")
        if any(test.name == HOLDOUT or test.key == self.holdout_salt for test in self.tests):
            raise ValueError("an experiment has the name or the salt of the holdout. Remedy: rename it")
        return self
