"""Single-task models in a process of their own: `python trees.py FOLDER`. It needs NumPy, LightGBM and scikit-learn.

FOLDER has `fits.json`, the features of each fold and the targets of each fit; predictions of the test fold are written
beside them. Trees stop early by the validation fold and are grown again from both folds with a tenth more trees; the
logistic regression takes the best of four penalties. Prints one line of JSON: CPU seconds of all, loading included.
"""

from __future__ import annotations

import json
import os
import sys
import time
from pathlib import Path

# Before NumPy: one core, and no thread that spins while it waits.
os.environ.update(OMP_NUM_THREADS="1", MKL_NUM_THREADS="1", OPENBLAS_NUM_THREADS="1", OMP_WAIT_POLICY="PASSIVE")

import numpy as np

MOST_TREES, PATIENCE = 500, 30
# As a peer of the reference protocol would be set.
USUAL = {"learning_rate": 0.06, "num_leaves": 15, "min_child_samples": 100, "feature_fraction": 0.7}
USUAL |= {"bagging_fraction": 0.8, "bagging_freq": 1, "max_bin": 127, "num_threads": 1, "verbose": -1, "seed": 1}
PENALTIES = (0.003, 0.01, 0.1, 1.0)

Arrays = dict[str, np.ndarray]


def main() -> None:
    folder = Path(sys.argv[1])
    task = json.loads((folder / "fits.json").read_text())
    started = time.process_time()
    features = {fold: np.load(folder / f"{fold}.npy") for fold in ("train", "validation", "test")}
    for number, fit in enumerate(task["fits"]):
        rows = dict(np.load(folder / f"fit_{number}.npz"))
        learn = logistic if fit["objective"] == "logistic" else trees
        np.save(folder / f"predicted_{number}.npy", learn(features, rows, fit, task["categories"]))
    print(json.dumps({"cpu_s": time.process_time() - started}))


def trees(features: Arrays, rows: Arrays, fit: dict, categories: list[int]) -> np.ndarray:
    import lightgbm

    settings = USUAL | {"objective": fit["objective"]} | fit["settings"]
    learned, validated = (_known(features[fold], rows, fold) for fold in ("train", "validation"))
    if fit["objective"] == "multiclass":
        settings["num_class"] = rows["train_target"].shape[1]
        learned, validated = _by_class(learned), _by_class(validated)
    train = _dataset(learned, categories)
    stop = lightgbm.early_stopping(PATIENCE, verbose=False)
    first = lightgbm.train(
        settings, train, MOST_TREES, valid_sets=[_dataset(validated, categories, train)], callbacks=[stop]
    )
    both = {name: np.concatenate([learned[name], validated[name]]) for name in learned}
    last = lightgbm.train(settings, _dataset(both, categories), max(20, int(first.best_iteration * 1.1)))
    return last.predict(features["test"])


def logistic(features: Arrays, rows: Arrays, fit: dict, categories: list[int]) -> np.ndarray:
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    chosen = fit["settings"]["columns"]

    def scaled(values: np.ndarray) -> np.ndarray:
        numbers = np.nan_to_num(values[:, chosen]).astype(float)
        return np.sign(numbers) * np.log1p(np.abs(numbers))

    def learned(penalty: float, part: Arrays):
        model = make_pipeline(StandardScaler(), LogisticRegression(C=penalty, max_iter=500))
        return model.fit(scaled(part["features"]), part["target"])

    train, validation = (_known(features[fold], rows, fold) for fold in ("train", "validation"))
    areas = {
        penalty: roc_auc_score(
            validation["target"], learned(penalty, train).predict_proba(scaled(validation["features"]))[:, 1]
        )
        for penalty in PENALTIES
    }
    both = {name: np.concatenate([train[name], validation[name]]) for name in ("features", "target")}
    return learned(max(areas, key=areas.get), both).predict_proba(scaled(features["test"]))[:, 1]


def _known(features: np.ndarray, rows: Arrays, fold: str) -> Arrays:
    """Rows of a fold whose target is known. `group` numbers the list of each row."""
    target = rows[f"{fold}_target"]
    known = ~np.isnan(target).reshape(len(target), -1).any(axis=1)
    part = {"features": features[known], "target": target[known], "weight": rows[f"{fold}_weight"][known]}
    if f"{fold}_group" in rows:
        part["group"] = rows[f"{fold}_group"][known]
    return part


def _by_class(part: Arrays) -> Arrays:
    """A row with shares [n, k] as one row for each class with a share, weighted by it."""
    row, column = np.nonzero(part["target"] > 0)
    weight = part["target"][row, column] * part["weight"][row]
    return {"features": part["features"][row], "target": column, "weight": weight}


def _dataset(part: Arrays, categories: list[int], reference=None):
    import lightgbm

    sizes = np.unique_counts(part["group"]).counts if "group" in part else None
    weight = None if "group" in part else part["weight"]
    return lightgbm.Dataset(
        part["features"],
        part["target"],
        weight=weight,
        group=sizes,
        categorical_feature=categories,
        reference=reference,
        free_raw_data=False,
    )


if __name__ == "__main__":
    main()
