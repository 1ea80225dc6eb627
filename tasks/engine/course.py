"""A course: a model at its start, and from what, how and how long it is trained; and the same as files for a team.

As files it is a folder that every member of the team can read:

    start/                    the model, as any model is kept
    course.json               loss scales, task weights, passes
    train.<table>/            sets of shards, lists of candidates whole; member r of w reads files[r::w]
    validation.<table>/       the same
    entities.<slot>/          what the rows are about, read by all
    milestones/               where training stands, for a team that goes on after a loss
    trained/, outcome.json    the model that was learned, and its passes; written by the first member at the end
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path

import duckdb
import polars as pl
import torch
from torch import Tensor

from mtl_models import checkpoint
from mtl_models.batching import FEWEST_ROWS
from mtl_models.fit import Epoch, fit
from mtl_models.interactions import GradientCosines
from mtl_models.milestones import Milestones
from mtl_models.model import JointModel
from mtl_models.relative_losses import Scales
from mtl_models.samples import EntityTable, TaskSamples
from mtl_models.team import ALONE, Team
from tasks.night import Night
from warehouse import build
from warehouse.shards import Shard, export_set, open_set

START, TRAINED, MILESTONES = "start", "trained", "milestones"
COURSE, OUTCOME = "course.json", "outcome.json"
# Of each member there are so many files, so that a smaller team divides them about evenly too.
_FILES_EACH = 2


@dataclass(frozen=True, kw_only=True)
class Course:
    """`model` is trained in place; `scales` are the baselines' losses, `weights` the lambda_j of each task, `epochs`
    the most passes. `calibrates`: as `fit` says. `cosines` are filled on the way."""

    model: JointModel
    entities: Mapping[str, EntityTable]
    train: Mapping[str, TaskSamples]
    validation: Mapping[str, TaskSamples]
    scales: Scales
    weights: Mapping[str, float]
    epochs: int
    calibrates: bool
    cosines: GradientCosines

    def learn(self, team: Team = ALONE, milestones: Milestones | None = None) -> Iterator[Epoch]:
        """Train, yielding each pass."""
        return fit(
            self.model,
            self.entities,
            self.train,
            self.validation,
            scales=self.scales,
            weights=self.weights,
            epochs=self.epochs,
            cosines=self.cosines,
            calibrates=self.calibrates,
            team=team,
            milestones=milestones,
        )


def export_course(con: duckdb.DuckDBPyConnection, course: Course, night: Night, folder: Path, workers: int) -> None:
    """Write the course for a team of at most so many members. `con` only writes the files: no table is read."""
    made_by = night.run_id
    for slot, entities in course.entities.items():
        _export(con, vars(entities), folder / f"entities.{slot}", made_by, 1)
    for fold, samples in (("train", course.train), ("validation", course.validation)):
        for table, rows in samples.items():
            files = _FILES_EACH * workers
            is_small = len(rows) < FEWEST_ROWS * files
            _export(con, _named(rows), folder / f"{fold}.{table}", made_by, 1 if is_small else files)
    checkpoint.save(
        folder / START,
        course.model,
        run_id=night.run_id,
        as_of_date=night.as_of_date,
        label_end_date=night.as_of_date,
        features_version=build.version(),
        source=night.source,
    )
    told = {
        "scales": course.scales,
        "weights": dict(course.weights),
        "epochs": course.epochs,
        "calibrates": course.calibrates,
        "slots": list(course.entities),
        "tables": {"train": list(course.train), "validation": list(course.validation)},
    }
    (folder / COURSE).write_text(json.dumps(told), encoding="utf-8")


def read_course(folder: Path, rank: int, world: int, device: torch.device) -> Course:
    """The course with one member's share of the rows; ShardError or CheckpointError when files are not as written."""
    told = json.loads((folder / COURSE).read_text(encoding="utf-8"))
    shares = {
        fold: {table: _read_share(folder / f"{fold}.{table}", rank, world, device) for table in tables}
        for fold, tables in told["tables"].items()
    }
    return Course(
        model=checkpoint.load(folder / START)[0].to(device),
        entities={slot: _entities(_read(folder / f"entities.{slot}")).to(device) for slot in told["slots"]},
        train=shares["train"],
        validation=shares["validation"],
        scales=told["scales"],
        weights=told["weights"],
        epochs=told["epochs"],
        calibrates=told["calibrates"],
        cosines=GradientCosines(),
    )


def write_outcome(folder: Path, course: Course, passes: Sequence[Epoch]) -> None:
    """Keep what was learned: the model first, then the words about it."""
    start = checkpoint.Checkpoint.read(folder / START)
    checkpoint.save(
        folder / TRAINED,
        course.model,
        run_id=start.run_id,
        as_of_date=start.as_of_date,
        label_end_date=start.label_end_date,
        features_version=start.features_version,
        source=start.source,
    )
    cosines = [[*pair, total, course.cosines.count[pair]] for pair, total in course.cosines.total.items()]
    told = {"epochs": [asdict(epoch) for epoch in passes], "cosines": cosines}
    (folder / OUTCOME).write_text(json.dumps(told), encoding="utf-8")


def take_outcome(folder: Path, course: Course) -> list[Epoch]:
    """Put what the team learned into the model and the cosines of the course; its passes."""
    learned, _ = checkpoint.load(folder / TRAINED)
    course.model.load_state_dict(learned.state_dict())
    told = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
    course.cosines.total = {(task, other): total for task, other, total, _ in told["cosines"]}
    course.cosines.count = Counter({(task, other): count for task, other, _, count in told["cosines"]})
    return [Epoch(**epoch) for epoch in told["epochs"]]


def _export(con: duckdb.DuckDBPyConnection, tensors: Mapping[str, Tensor], folder: Path, by: str, files: int) -> None:
    # Parquet has no columns without width.
    wide = {name: tensor for name, tensor in tensors.items() if tensor.dim() == 1 or tensor.shape[1]}
    frame = pl.DataFrame([_column(name, tensor) for name, tensor in wide.items()])
    con.register("course_rows", frame.to_arrow())
    predicates = [f"groups % {files} = {number}" for number in range(files)] if files > 1 else ["true"]
    export_set(con, "select * from course_rows", folder, by, predicates)
    con.unregister("course_rows")


def _read_share(folder: Path, rank: int, world: int, device: torch.device) -> TaskSamples:
    """The rows of the member's files. A training table of too few rows to be divided is read by all members."""
    found = open_set(folder)
    mine = found.shards[rank::world]
    if not mine and folder.name.startswith("train."):
        mine = found.shards
    return _samples(_read(folder, mine)).to(device)


def _read(folder: Path, shards: Sequence[Shard] | None = None) -> dict[str, Tensor]:
    """{name: tensor} of these shards, else of all; of none, with no rows."""
    found = open_set(folder)
    wanted = found.shards if shards is None else shards
    read = pl.concat([pl.read_parquet(shard.verified()) for shard in wanted or found.shards[:1]])
    frame = read if wanted else read.head(0)
    return {name: _tensor(frame[name], found.columns[name]) for name in frame.columns}


def _entities(named: Mapping[str, Tensor]) -> EntityTable:
    ids = named["ids"]
    nothing = torch.zeros(len(ids), 0)
    return EntityTable(
        ids=ids,
        categories=named.get("categories", nothing.to(torch.int64)),
        numbers=named.get("numbers", nothing),
    )


def _named(samples: TaskSamples) -> dict[str, Tensor]:
    """{field, or field.name: tensor}."""
    named: dict[str, Tensor] = {}
    for field in fields(TaskSamples):
        value = getattr(samples, field.name)
        named |= (
            {field.name: value}
            if isinstance(value, Tensor)
            else {f"{field.name}.{name}": tensor for name, tensor in value.items()}
        )
    return named


def _samples(named: Mapping[str, Tensor]) -> TaskSamples:
    """The samples that were `_named`."""

    def of(field: str) -> dict[str, Tensor]:
        start = f"{field}."
        return {name.removeprefix(start): tensor for name, tensor in named.items() if name.startswith(start)}

    weights = named["weights"]
    return TaskSamples(
        slots=of("slots"),
        context=named.get("context", weights.new_zeros(len(weights), 0)),
        targets=of("targets"),
        baselines=of("baselines"),
        inputs=of("inputs"),
        weights=weights,
        groups=named["groups"],
    )


def _column(name: str, tensor: Tensor) -> pl.Series:
    values = tensor.cpu().numpy()
    if values.ndim == 1:
        return pl.Series(name, values)
    return pl.Series(name, values.ravel()).reshape(values.shape)


def _tensor(column: pl.Series, kind: str) -> Tensor:
    """[n], or [n, k] for a column of DuckDB's type T[k]."""
    if isinstance(column.dtype, pl.List):
        column = column.list.to_array(int(kind.partition("[")[2].rstrip("]")))
    return torch.from_numpy(column.to_numpy().copy())
