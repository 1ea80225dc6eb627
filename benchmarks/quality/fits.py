"""Who competes in each task: single-task models on the same features and rows as the joint model."""

from __future__ import annotations

import json
import subprocess
import tempfile
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from pathlib import Path

import duckdb
import numpy as np
import polars as pl
from numpy.typing import NDArray
from quality.designs import FOLDS, Design, read_design

from mtl_models.censoring import LEAST_AVAILABLE_RATIO

HERE = Path(__file__).parent
# Below it a product's level says little; keeps targets over levels finite.
LEAST_LEVEL = 0.3


@dataclass(frozen=True, kw_only=True)
class Fit:
    """One model: `target` by `objective`, which answers for the predicted column `name`."""

    name: str
    target: str
    objective: str
    settings: dict = field(default_factory=dict)


RARE = {"learning_rate": 0.03, "num_leaves": 7, "min_child_samples": 30, "feature_fraction": 0.6, "lambda_l2": 5}
SHARES = {"learning_rate": 0.1, "num_leaves": 7, "min_child_samples": 200, "feature_fraction": 0.3, "max_bin": 63}
DEMAND = {"learning_rate": 0.08, "num_leaves": 31, "bagging_fraction": 0.7}
LISTS = {"learning_rate": 0.1, "num_leaves": 31, "feature_fraction": 0.8, "lambdarank_truncation_level": 40}
LISTS |= {"eval_at": [20]}
# No head's task: the days that suppliers are late.
LEAD_TIME = "lead_time"

FITS = {
    "profile": (
        Fit(name="l1", target="spend_28d", objective="l1"),
        Fit(name="tweedie", target="spend_28d", objective="tweedie", settings={"tweedie_variance_power": 1.5}),
        Fit(name="order_probability_28d", target="buys_28d", objective="binary"),
        Fit(name="order_probability_7d", target="buys_7d", objective="binary"),
        Fit(name="category_shares", target="category_shares", objective="multiclass", settings=SHARES),
        *(
            Fit(
                name=f"expected_revenue_28d_p{p}", target="spend_28d", objective="quantile", settings={"alpha": p / 100}
            )
            for p in (10, 90)
        ),
    ),
    "recommendation": (Fit(name="score", target="bought_28d", objective="lambdarank", settings=LISTS),),
    "pricing": (Fit(name="units", target="units", objective="poisson", settings=DEMAND | {"min_child_samples": 50}),),
    "supply": (
        Fit(name="demand_units_mean", target="units", objective="poisson", settings=DEMAND),
        *(
            Fit(name=f"demand_units_p{p}", target="units", objective="quantile", settings=DEMAND | {"alpha": p / 100})
            for p in (10, 50, 90, 95)
        ),
    ),
    "promotion": (
        Fit(name="redemption_probability", target="redeemed", objective="binary", settings=RARE),
        Fit(name="logistic", target="redeemed", objective="logistic"),
    ),
    "quality": (Fit(name="expected_rating", target="rating", objective="l1"),),
    "service_orders": (
        Fit(name="contact_probability", target="contacted", objective="binary", settings=RARE),
        Fit(name="return_probability", target="returned", objective="binary", settings=RARE),
    ),
    "service_days": (
        Fit(name="contacts_mean", target="contacts", objective="poisson"),
        *(
            Fit(name=f"contacts_p{p}", target="contacts", objective="quantile", settings={"alpha": p / 100})
            for p in (10, 50, 90)
        ),
    ),
    LEAD_TIME: tuple(
        Fit(name=f"late_days_p{p}", target="late_days", objective="quantile", settings={"alpha": p / 100})
        for p in (50, 90)
    ),
}
# The logistic regression reads what the campaign and the user's past with coupons say, as the reference protocol's.
LOGISTIC = ("ctx_", "base_redeemed", "user spend_28d", "user spend_84d", "user order_days_28d", "user recency_days")
LOGISTIC += ("user coupon_lines", "user discount_share")


@dataclass(frozen=True)
class Fitted:
    """{name: predictions of the test fold}, and what they cost."""

    predicted: dict[str, NDArray[np.float64]]
    cpu_s: float


def fit_all(con: duckdb.DuckDBPyConnection, task: str, python: str, *, knows_plan: bool = True) -> Fitted:
    """Every fit of the task by that interpreter, on the night's own rows."""
    return fit_design(read_design(con, task, knows_plan=knows_plan), task, python)


def fit_design(design: Design, task: str, python: str) -> Fitted:
    """Every fit of the task by that interpreter, on these rows."""
    with tempfile.TemporaryDirectory(prefix="fivefold-peers-") as folder:
        _write(design, task, Path(folder))
        done = subprocess.run([python, HERE / "trees.py", folder], capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"the peers of {task} failed:\n{done.stderr}")
        raw = {fit.name: np.load(Path(folder) / f"predicted_{i}.npy") for i, fit in enumerate(FITS[task])}
    level = _level(design.rows["test"])
    predicted = {name: values * level if task in ("pricing", "supply") else values for name, values in raw.items()}
    return Fitted(_ordered(predicted), json.loads(done.stdout.splitlines()[-1])["cpu_s"])


def _write(design: Design, task: str, folder: Path) -> None:
    columns = [i for i, name in enumerate(design.names) if name.startswith(LOGISTIC)]
    fits = [asdict(fit) for fit in FITS[task]]
    for fit in fits:
        if fit["objective"] == "logistic":
            fit["settings"] = {"columns": columns}
    (folder / "fits.json").write_text(json.dumps({"fits": fits, "categories": design.categories}))
    for fold, values in design.features.items():
        np.save(folder / f"{fold}.npy", values)
    for i, fit in enumerate(FITS[task]):
        np.savez(folder / f"fit_{i}.npz", **_targets(design, task, fit))


def _targets(design: Design, task: str, fit: Fit) -> dict[str, NDArray]:
    """Target and weight of the rows of both folds that are learned from; the lists that are ranked."""
    arrays, lists = {}, 0
    for fold in FOLDS[:2]:
        rows = design.rows[fold]
        target, weight = _target(rows, task, fit)
        arrays |= {f"{fold}_target": target, f"{fold}_weight": weight}
        if fit.objective == "lambdarank":
            arrays[f"{fold}_group"] = rows["list_number"].cast(pl.Int64).to_numpy() + lists
            lists += int(rows["list_number"].max()) + 1
    return arrays


def _target(rows: pl.DataFrame, task: str, fit: Fit) -> tuple[NDArray, NDArray]:
    """[n] targets, NaN where unknown, and weights. Demand is learned as a multiple of the product's level, weighted by
    it, and from weeks with stock; a week partly without counts in part (`mtl_models/censoring.py`)."""
    label = rows[f"label_{fit.target}"]
    if label.dtype == pl.List:
        shares = np.full((len(rows), int(label.list.len().max())), np.nan)
        shares[label.is_not_null().to_numpy()] = label.drop_nulls().list.to_array(shares.shape[1]).to_numpy()
        return shares, np.ones(len(rows))
    target = label.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    if task in ("pricing", "supply"):
        ratio, level = rows["label_available_ratio"].fill_null(0).to_numpy(), _level(rows)
        enough = (ratio >= LEAST_AVAILABLE_RATIO) & ((task == "supply") | (rows["is_priced"].to_numpy() > 0))
        return np.where(enough, target / np.maximum(ratio, 1e-9) / level, np.nan), level * ratio
    weight = rows["sample_weight"].to_numpy() if task == "quality" else np.ones(len(rows))
    return target, weight


def _level(rows: pl.DataFrame) -> NDArray[np.float64]:
    """[n] units of a usual week of the product; of other tasks, 1."""
    return rows["base_level"].to_numpy() + LEAST_LEVEL if "base_level" in rows.columns else np.ones(len(rows))


def _ordered(predicted: dict[str, NDArray]) -> dict[str, NDArray]:
    """A higher quantile is at least as large as the one below it."""
    names = [name for name in predicted if name.rpartition("_p")[2].isdigit()]
    for lower, higher in pairwise(names):
        predicted[higher] = np.maximum(predicted[lower], predicted[higher])
    return predicted
