from __future__ import annotations

from typing import Any

import numpy as np

from compresskit.bundle.batching import batches, run_rows

ROWS = [
    {"input_ids": [5, 6], "token_type_ids": [0, 1]},
    {"input_ids": [7], "token_type_ids": [0]},
    {"input_ids": [8, 9, 10]},
]


def test_batches_join_rows_of_similar_lengths() -> None:
    assert list(batches(ROWS, 2)) == [[2, 0], [1]]


class Sums:
    """Stands for a session: its logits are the sum of each row's ids."""

    def get_inputs(self) -> list[Any]:
        return [type("Input", (), {"name": "input_ids"})]

    def get_outputs(self) -> list[Any]:
        return [type("Output", (), {"name": "logits", "shape": ["batch", 1]})]

    def run(self, _: list[str], feed: dict[str, Any]) -> list[Any]:
        return [feed["input_ids"].sum(axis=1, keepdims=True).astype(np.float32)]


def test_logits_come_back_in_order() -> None:
    assert run_rows(Sums(), ROWS, batch_size=2).tolist() == [[11.0], [7.0], [27.0]]
