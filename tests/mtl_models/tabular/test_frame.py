from __future__ import annotations

from datetime import date

import numpy as np
import polars as pl
import pytest
import torch

from mtl_models import FrameError
from mtl_models.tabular.config import TabularConfig
from mtl_models.tabular.frame import FrameEncoder, Rows
from mtl_models.tabular.network import ColumnEmbeddings


def encode(encoder: FrameEncoder, frame: pl.DataFrame) -> Rows:
    return encoder.transform(frame, torch.zeros(len(frame), 1))


def test_words_share_one_vocabulary_and_unknown_is_first() -> None:
    train = pl.DataFrame({"color": ["red", "blue", None], "is_new": [True, False, None]})
    rows = encode(FrameEncoder.fit(train, bins=4), pl.DataFrame({"color": ["blue", "green"], "is_new": [True, None]}))
    assert rows.words.tolist() == [[1, 3 + 2], [0, 3 + 0]]


def test_numbers_lie_between_quantiles() -> None:
    encoder = FrameEncoder.fit(pl.DataFrame({"age": [0.0, 10.0, 20.0, 40.0, 80.0]}), bins=8)
    assert encoder.edges == {"age": (0.0, 10.0, 20.0, 40.0, 80.0)}
    frame = pl.DataFrame({"age": [-5.0, 5.0, 30.0, 80.0, 99.0, None, float("nan"), float("inf")]})
    rows = encode(encoder, frame)
    assert rows.bins[:, 0].tolist() == [0, 0, 2, 3, 3, 5, 5, 5]
    assert rows.places[:, 0].tolist() == [0.0, 0.5, 0.5, 1.0, 1.0, 0.0, 0.0, 0.0]
    assert rows.numbers.isfinite().all()


def test_the_tail_of_a_column_of_zeros_is_seen_in_detail() -> None:
    encoder = FrameEncoder.fit(pl.DataFrame({"gain": [0.0] * 990 + [float(value) for value in range(10)]}), bins=20)
    assert encoder.edges["gain"] == pytest.approx([0, 0.9, 1.8, 2.7, 3.6, 4.5, 5.4, 6.3, 7.2, 8.1, 9])


def test_a_column_without_variation_or_without_values_is_no_trouble() -> None:
    frame = pl.DataFrame(
        {"one": [1, 1, 1], "none": [None, None, None], "gone": pl.Series([None] * 3, dtype=pl.Float64)}
    )
    rows = encode(FrameEncoder.fit(frame, bins=4), frame)
    assert rows.numbers.isfinite().all() and rows.places.isfinite().all()


def test_rows_are_encoded_alike_in_any_company() -> None:
    random = np.random.default_rng(0)
    frame = pl.DataFrame({"x": random.normal(size=50), "w": random.choice(["a", "b", "c"], 50)})
    encoder = FrameEncoder.fit(frame, bins=8)
    everyone, alone = encode(encoder, frame), encode(encoder, frame[7:9])
    for name in ("words", "numbers", "bins", "places"):
        assert torch.equal(getattr(everyone, name)[7:9], getattr(alone, name))


def test_an_embedding_is_linear_between_quantiles_and_bends_there() -> None:
    encoder = FrameEncoder.fit(pl.DataFrame({"x": [0.0, 1.0, 2.0, 3.0]}), bins=6)
    embeddings = ColumnEmbeddings(encoder, TabularConfig(embedding_width=4))
    x = pl.DataFrame({"x": [0.0, 0.25, 0.5, 0.75, 1.0, 2.0]})
    embedded = embeddings(encode(encoder, x))[:, :4]
    knots = embeddings.steps[0].cumsum(dim=0)
    torch.testing.assert_close(embedded[[0, 4, 5]], knots[:3])
    torch.testing.assert_close(embedded[:5].diff(dim=0), (knots[1] - knots[0]).expand(4, 4) / 4)


def test_a_missing_number_has_a_vector_of_its_own() -> None:
    encoder = FrameEncoder.fit(pl.DataFrame({"x": [0.0, 1.0, None]}), bins=2)
    embeddings = ColumnEmbeddings(encoder, TabularConfig(embedding_width=4))
    missing = embeddings(encode(encoder, pl.DataFrame({"x": [None]}, schema={"x": pl.Float64})))
    embeddings.steps.data[:, encoder.most_bins + 1] += 1.0
    moved = embeddings(encode(encoder, pl.DataFrame({"x": [None, 0.0, 1.0]}, schema={"x": pl.Float64})))
    torch.testing.assert_close(moved[0, :4], missing[0, :4] + 1)
    torch.testing.assert_close(moved[1:, :4], embeddings.steps[0].cumsum(dim=0)[[0, encoder.most_bins]])


@pytest.mark.parametrize(
    ("frame", "message"),
    [
        ({"age": [1.0]}, "lacks region, which the model was trained on"),
        ({"region": ["a"], "age": ["old"]}, "column age held numbers in training, but is String here"),
        ({"region": [1], "age": [1.0]}, "column region held words in training, but is Int64 here"),
    ],
)
def test_another_frame_than_in_training_is_named(frame: dict, message: str) -> None:
    encoder = FrameEncoder.fit(pl.DataFrame({"region": ["a", "b"], "age": [1.0, 2.0]}), bins=2)
    with pytest.raises(FrameError, match=message):
        encode(encoder, pl.DataFrame(frame))


def test_what_is_neither_words_nor_numbers_is_named() -> None:
    with pytest.raises(FrameError, match=r"column joined is Date, .* cast it or leave it out"):
        FrameEncoder.fit(pl.DataFrame({"joined": [date(2024, 1, 1)]}), bins=2)
