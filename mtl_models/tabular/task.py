"""What a user wants predicted."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, model_validator
from pydantic.dataclasses import dataclass

Kind = Literal["binary", "multiclass", "regression", "count", "quantile"]


@dataclass(frozen=True, config=ConfigDict(extra="forbid"))
class TaskSpec:
    """One task: a name, what kind of label it has, and the column that holds it (that of its name unless given).

    | kind       | label                          | loss                | predicted                                |
    |------------|--------------------------------|---------------------|------------------------------------------|
    | binary     | true/false, 0/1, or `positive` | cross-entropy       | probability                              |
    | multiclass | words or whole numbers         | cross-entropy       | struct: probability of each class        |
    | regression | numbers                        | squared error       | mean                                     |
    | count      | whole numbers from 0           | Poisson deviance    | mean                                     |
    | quantile   | numbers                        | pinball             | struct: value at each of `levels`, ordered |

    A null label is a row that the task does not learn from. `weight` is lambda_j, the task's say in the joint loss;
    losses are relative to the constant predictor's, so 1 means equal say. `positive` is the word that counts as true.
    ValueError when the parts do not go together.
    """

    name: str
    kind: Kind
    column: str = ""
    weight: Annotated[float, Field(ge=0)] = 1.0
    positive: str | None = None
    levels: tuple[Annotated[float, Field(gt=0, lt=1)], ...] = (0.1, 0.5, 0.9)

    @model_validator(mode="after")
    def _parts_go_together(self) -> Self:
        if not self.name or "." in self.name:
            raise ValueError("a task needs a name without a dot")
        if self.positive is not None and self.kind != "binary":
            raise ValueError(f"task {self.name}: only binary tasks have a positive word; leave `positive` out")
        if self.kind == "quantile" and (not self.levels or list(self.levels) != sorted(set(self.levels))):
            raise ValueError(f"task {self.name}: levels must rise, such as (0.1, 0.5, 0.9)")
        return self

    @property
    def label(self) -> str:
        """The column of the labels."""
        return self.column or self.name
