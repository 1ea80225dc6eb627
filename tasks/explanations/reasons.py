"""From credits of rows to the reasons of decisions."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl
import torch
from torch import Tensor

from mtl_models.attribute import CONTEXT, ID, Attributions, Feature
from mtl_models.samples import ABSENT
from tasks.explanations.sentences import sentence
from tasks.explanations.subjects import Subject
from tasks.explanations.topics import saying_of
from tasks.read_samples import ENTITIES, Frames

REASONS = 3
# A smaller credit moves a chance by a quarter of a percentage point at most, an amount by 1%: it is no reason.
LEAST_CREDIT = 0.01


@dataclass(frozen=True)
class Decisions:
    """What is to be explained: [decisions] `named` with table_name and object_id, and [pairs] the `decision` and the
    sample `row` of each row that it rests on."""

    named: pl.DataFrame
    decision: Tensor
    row: Tensor

    def mean(self, of_rows: Tensor) -> Tensor:
        """[decisions] or [decisions, k] means over the rows of each decision."""
        total = of_rows.new_zeros(len(self.named), *of_rows.shape[1:])
        total.index_add_(0, self.decision, of_rows[self.row])
        rows = torch.bincount(self.decision, minlength=len(self.named))
        return total / rows.view(-1, *[1] * (of_rows.dim() - 1))

    def quote(self, column: pl.Series) -> pl.Series:
        """[decisions] what the column [rows] says of each: the mean, or the words where they are few."""
        said: pl.Expr
        if column.dtype == pl.String:
            words = pl.col("value").drop_nulls().unique().sort()
            said = pl.when(words.len().is_between(1, 2)).then(words.str.join(" and "))
        else:
            said = pl.col("value").cast(pl.Float64).mean()
        pairs = pl.DataFrame({"decision": self.decision.numpy(), "value": column.gather(self.row.numpy())})
        return pairs.group_by("decision").agg(said).sort("decision")["value"]


def reasons(subject: Subject, decisions: Decisions, frames: Frames, found: Attributions, currency: str) -> pl.DataFrame:
    """Rows of ops.explanations but for the night: the topics with the largest credits of each decision, in words. A
    decision that rests on several rows (the weeks of a forecast, the users of a campaign) has the mean of theirs."""
    sayings = [saying_of(feature) for feature in found.features]
    topics = list(dict.fromkeys(saying.topic for saying in sayings))
    topic_of = torch.tensor([topics.index(saying.topic) for saying in sayings])  # [features]
    by_feature = decisions.mean(found.values)  # [decisions, features]
    by_topic = by_feature.new_zeros(len(by_feature), len(topics)).index_add(1, topic_of, by_feature)
    parts = []
    for rank, topic in enumerate(by_topic.abs().topk(min(REASONS, len(topics)), dim=1).indices.T, start=1):
        credit = by_topic.gather(1, topic[:, None])  # [decisions, 1]
        towards = by_feature * credit.sign()
        speaker = towards.where(topic_of == topic[:, None], -torch.inf).argmax(dim=1)  # [decisions]
        part = decisions.named.with_columns(
            head=pl.lit(subject.head),
            rank=pl.lit(rank, pl.Int64),
            measure=pl.lit(subject.measure.words),
            feature=pl.Series([".".join(found.features[i]) for i in speaker.tolist()], dtype=pl.String),
            value=_values(subject, decisions, frames, found.features, speaker),
            attribution=pl.Series(credit.squeeze(1).double().numpy()),
            output=pl.Series(decisions.mean(found.output).double().numpy()),
            reference_output=pl.Series(decisions.mean(found.reference).double().numpy()),
            is_complete=pl.Series((decisions.mean(found.is_complete.float()) == 1).numpy()),
        )
        words = [sayings[i].words for i in speaker.tolist()]
        told = zip(words, part["value"], part["attribution"], strict=True)
        said = [sentence(words, _read(value), credit, rank, subject.measure, currency) for words, value, credit in told]
        parts.append(part.with_columns(sentence=pl.Series(said, dtype=pl.String)))
    is_reason = (pl.col("rank") == 1) | (pl.col("attribution").abs() >= LEAST_CREDIT)
    return pl.concat(parts).filter(is_reason).sort("table_name", "object_id", "rank")


def _values(
    subject: Subject, decisions: Decisions, frames: Frames, features: tuple[Feature, ...], speaker: Tensor
) -> pl.Series:
    """[decisions] the value of the feature that speaks for each, as text."""
    values = pl.Series([None] * len(speaker), dtype=pl.String)
    for i in speaker.unique().tolist():
        said = decisions.quote(_column(features[i], subject, frames)).cast(pl.String)
        values = said.zip_with(pl.Series((speaker == i).numpy()), values)
    return values


def _column(feature: Feature, subject: Subject, frames: Frames) -> pl.Series:
    """[rows] a feature in its own unit."""
    (place, column), samples = feature, frames.samples[subject.sample_table]["serve"]
    if place == CONTEXT:
        return samples[column]
    name = (ENTITIES[place].id_name or column) if column == ID else column
    slot = samples[f"slot_{place}"]
    return frames.entities[place][name].gather(slot.replace(ABSENT, None))


def _read(value: str | None) -> float | str | None:
    """A value that is a number as one."""
    try:
        return None if value is None else float(value)
    except ValueError:
        return value
