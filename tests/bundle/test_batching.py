from __future__ import annotations

from typing import Any

import numpy as np

from compresskit.bundle.batching import batches, feed_of, run_rows

ROWS = [
    {"input_ids": [5, 6], "token_type_ids": [0, 1]},
    {"input_ids": [7], "token_type_ids": [0]},
    {"input_ids": [8, 9, 10]},
]


def test_rows_are_padded_and_masked() -> None:
    feed = feed_of(ROWS, ["input_ids", "attention_mask", "token_type_ids"], pad_id=1)
    assert feed["input_ids"].tolist() == [[5, 6, 1], [7, 1, 1], [8, 9, 10]]
    assert feed["attention_mask"].tolist() == [[1, 1, 0], [1, 0, 0], [1, 1, 1]]
    assert feed["token_type_ids"].tolist() == [[0, 1, 0], [0, 0, 0], [0, 0, 0]]
    assert {value.dtype for value in feed.values()} == {np.dtype(np.int64)}


def test_positions_are_counted_in_every_row() -> None:
    assert feed_of(ROWS, ["input_ids", "position_ids"])["position_ids"].tolist() == [[0, 1, 2]] * 3


def test_only_inputs_of_the_graph_are_fed() -> None:
    assert set(feed_of(ROWS, ["input_ids", "attention_mask"])) == {"input_ids", "attention_mask"}


def test_batches_join_rows_of_similar_lengths() -> None:
    assert list(batches(ROWS, 2)) == [[2, 0], [1]]


class Sums:
    """Stands for a session: its logits are the sum of each row's ids."""

    def get_inputs(self) -> list[Any]:
        return [type("Input", (), {"name": "input_ids"})]

    def run(self, _: list[str], feed: dict[str, Any]) -> list[Any]:
        return [feed["input_ids"].sum(axis=1, keepdims=True).astype(np.float32)]


def test_logits_come_back_in_order() -> None:
    assert run_rows(Sums(), ROWS, batch_size=2).tolist() == [[11.0], [7.0], [27.0]]
