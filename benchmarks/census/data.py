"""UCI Census-Income (KDD), test half, as the same tensors for every competitor.

99,762 people; the tasks are those of the MMoE paper's first group: income above 50,000 and never married. A fixed split
of 70, 10 and 20%; vocabularies and scales are learned on the training rows, an unseen word is 0.
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import polars as pl

COLUMNS = """
age class_worker det_ind_code det_occ_code education wage_per_hour hs_college marital_stat major_ind_code
major_occ_code race hisp_origin sex union_member unemp_reason full_or_part_emp capital_gains capital_losses
stock_dividends tax_filer_stat region_prev_res state_prev_res det_hh_fam_stat det_hh_summ instance_weight
mig_chg_msa mig_chg_reg mig_move_reg mig_same mig_prev_sunbelt num_emp fam_under_18 country_father country_mother
country_self citizenship own_or_self vet_question vet_benefits weeks_worked year income_50k
""".split()  # noqa: SIM905
NUMBERS = ["age", "wage_per_hour", "capital_gains", "capital_losses", "stock_dividends", "num_emp", "weeks_worked"]
LOGS = {"wage_per_hour", "capital_gains", "capital_losses", "stock_dividends"}
INCOME, MARRIED = "income_50k", "marital_stat"
WORDS = [name for name in COLUMNS if name not in {*NUMBERS, INCOME, MARRIED, "instance_weight"}]
SPLIT_SEED, FOLDS = 2024, ("train", "validation", "test")


def prepare(source: Path, folder: Path, rows: int | None) -> None:
    """Write `census.npz` (tensors) and a Parquet file for each fold (the frames) into the folder; `rows` keeps that
    many training rows."""
    people = read(source)
    order = np.random.default_rng(SPLIT_SEED).permutation(len(people))
    cuts = [int(0.7 * len(people)), int(0.8 * len(people))]
    folds = dict(zip(FOLDS, np.split(order, cuts), strict=True))
    folds["train"] = folds["train"][:rows]
    train = people[folds["train"]]
    arrays: dict[str, np.ndarray] = {"vocabulary": np.array([train[name].n_unique() + 1 for name in WORDS])}
    for fold, index in folds.items():
        frame = people[index]
        frame.write_parquet(folder / f"{fold}.parquet")
        arrays[f"{fold}_words"] = np.stack([indexes(train[name], frame[name]) for name in WORDS], axis=1)
        arrays[f"{fold}_numbers"] = np.stack([scaled(name, train[name], frame[name]) for name in NUMBERS], axis=1)
        arrays[f"{fold}_labels"] = frame.select(
            pl.col(INCOME).str.starts_with("50000+").cast(pl.Float32),
            (pl.col(MARRIED) == "Never married").cast(pl.Float32),
        ).to_numpy()
    np.savez(folder / "census.npz", **arrays)


def read(source: Path) -> pl.DataFrame:
    """The file as published, without the sampling weight: words without blanks around them, numbers as floats."""
    with gzip.open(source) as file:
        people = pl.read_csv(file.read(), has_header=False, new_columns=COLUMNS, infer_schema=False)
    people = people.with_columns(pl.all().str.strip_chars()).with_columns(pl.col(NUMBERS).cast(pl.Float64))
    return people.drop("instance_weight")


def indexes(train: pl.Series, column: pl.Series) -> np.ndarray:
    """[n] from 1 in the order of the training words; 0 for others."""
    known = column.cast(pl.Enum(train.unique().sort()), strict=False).to_physical().cast(pl.Int64)
    return (known + 1).fill_null(0).to_numpy()


def scaled(name: str, train: pl.Series, column: pl.Series) -> np.ndarray:
    """[n] standardised, money on the log scale."""
    if name in LOGS:
        train, column = train.log1p(), column.log1p()
    return ((column - train.mean()) / (train.std(ddof=0) + 1e-9)).cast(pl.Float32).to_numpy()
