"""Rows as batches for a graph, whatever they hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from compresskit.inputs import PART, TEXT, Input, InputSpec, in_order, origins, text_inputs

ROWS = [
    {"input_ids": [5, 6], "token_type_ids": [0, 1]},
    {"input_ids": [7], "token_type_ids": [0]},
    {"input_ids": [8, 9, 10]},
]
PICTURES = InputSpec((Input("pixels", dtype="float32", axes=("channel", "height", "width")),))


def test_rows_are_padded_and_masked() -> None:
    feed = text_inputs(TEXT.names, 1).batch(ROWS)
    assert feed["input_ids"].tolist() == [[5, 6, 1], [7, 1, 1], [8, 9, 10]]
    assert feed["attention_mask"].tolist() == [[1, 1, 0], [1, 0, 0], [1, 1, 1]]
    assert feed["token_type_ids"].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert {value.dtype for value in feed.values()} == {np.dtype(np.int64)}


def test_a_text_of_no_tokens_is_read_as_padding() -> None:
    """Tokenizers of decoders give no token of their own to an empty text."""
    inputs = text_inputs(TEXT.names, 1)
    both = inputs.batch([{"input_ids": []}, {"input_ids": [5, 6]}])
    assert both["input_ids"].tolist() == [[1, 1], [5, 6]]
    assert both["attention_mask"].tolist() == [[1, 0], [1, 1]]
    alone = inputs.batch([{"input_ids": []}])
    assert (alone["input_ids"].tolist(), alone["attention_mask"].tolist()) == ([[1]], [[1]])


def test_only_what_is_asked_for_is_made() -> None:
    feed = TEXT.batch(ROWS, ["input_ids", "language_ids"])
    assert set(feed) == {"input_ids", "language_ids"}
    assert not feed["language_ids"].any()


def test_positions_are_counted_in_every_row() -> None:
    rows = [{"input_ids": [5, 6]}, {"input_ids": [7, 8, 9]}]
    feed = TEXT.batch(rows, ["input_ids", "position_ids"], length=4)
    assert feed["position_ids"].tolist() == [[0, 1, 2, 3]] * 2


def test_a_fixed_length() -> None:
    assert TEXT.batch(ROWS[:2], length=4)["input_ids"].tolist() == [[5, 6, 0, 0], [7, 0, 0, 0]]
    with pytest.raises(ValueError, match="a row of 3 does not fit a batch of length 2"):
        TEXT.batch(ROWS, length=2)


def test_rows_of_several_axes() -> None:
    rows = [{"pixels": np.ones((1, 2, 3))}, {"pixels": np.ones((1, 1, 2))}]
    (found,) = PICTURES.batch(rows).values()
    assert found.shape == (2, 1, 2, 3) and found.dtype == np.float32
    assert found[1].tolist() == [[[1, 1, 0], [0, 0, 0]]]
    with pytest.raises(ValueError, match="inputs pixels have no mask"):
        PICTURES.real({})


@pytest.mark.parametrize("inputs", [TEXT, PICTURES, text_inputs(["input_ids", "attention_mask"], 7)])
def test_inputs_survive_json(inputs: InputSpec) -> None:
    assert InputSpec.from_json(json.loads(json.dumps(inputs.to_json()))) == inputs


@pytest.mark.parametrize(
    "change", [{"padding": "0"}, {"name": 3}, {"dtype": None}, {"axes": 1}, {"other": 1}, {"default": "x"}]
)
def test_damaged_inputs_are_refused(change: dict[str, object]) -> None:
    value = TEXT.to_json()
    value["inputs"][1] |= change
    with pytest.raises((TypeError, ValueError, KeyError)):
        InputSpec.from_json(value)


def test_parts_of_an_input_are_told_from_rows_of_their_own() -> None:
    rows = [{"input_ids": [1], **({} if part is None else {PART: part})} for part in (None, (0, 2), (1, 2))]
    assert origins([*rows, *rows[1:], rows[0]]).tolist() == [0, 1, 1, 2, 2, 3]
    assert origins([]).tolist() == []


def test_outputs_come_back_in_order_and_without_what_was_padded() -> None:
    whole = in_order([np.asarray([[1.0, 2], [3, 4]]), np.asarray([[5.0, 6]])], [2, 0, 1], [1, 1, 1])
    assert whole.tolist() == [[3, 4], [5, 6], [1, 2]]
    tokens = in_order([np.full((2, 3, 2), 7.0), np.full((1, 1, 2), 8.0)], [0, 2, 1], [3, 1, 2])
    assert tokens[:, :, 0].tolist() == [[7, 7, 7], [8, 0, 0], [7, 7, 0]]
