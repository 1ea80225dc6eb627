"""The README's own model runs as written, on 2,000 people of the UCI Census-Income (KDD) data set (CC BY 4.0)."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from mtl_models import MultiTaskModel

README = Path(__file__).parents[3] / "README.md"
SAMPLE = Path(__file__).parent / "census_sample.csv.gz"


def test_the_readme_model_runs_on_census_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    code = re.findall(r"```python\n(.*?)```", README.read_text(), re.S)
    assert len(code) == 1 and len(code[0].strip().splitlines()) <= 12
    (tmp_path / "census.csv").write_bytes(gzip.decompress(SAMPLE.read_bytes()))
    monkeypatch.chdir(tmp_path)
    names: dict = {}
    exec(code[0], names)
    model, test = names["model"], names["people"][:500]
    scores = {(task, metric): value for task, metric, value, _, _ in model.score(test).iter_rows()}
    assert scores["income", "auc"] > 0.85 and scores["single", "auc"] > 0.95
    assert MultiTaskModel.load("census_model").predict(test).columns == ["income", "single", "weeks"]
