from __future__ import annotations

import pytest
import torch
from compresskit.tasks.collation import collate

ROWS = [{"input_ids": [5, 6, 7], "token_type_ids": [0, 0, 1]}, {"input_ids": [8], "token_type_ids": [0]}]


def test_rows_are_padded_to_the_longest() -> None:
    batch = collate(ROWS, 9)
    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[5, 6, 7], [8, 9, 9]],
        "token_type_ids": [[0, 0, 1], [0, 0, 0]],
        "attention_mask": [[1, 1, 1], [1, 0, 0]],
    }
    assert all(value.dtype == torch.int64 for value in batch.values())


def test_a_fixed_length() -> None:
    assert collate(ROWS, 0, length=5)["input_ids"].tolist() == [[5, 6, 7, 0, 0], [8, 0, 0, 0, 0]]
    with pytest.raises(ValueError, match="a row of 3 tokens does not fit"):
        collate(ROWS, 0, length=2)


def test_labels_are_class_ids_or_numbers() -> None:
    classes = collate([{**row, "labels": 1} for row in ROWS], 0)["labels"]
    assert classes.dtype == torch.int64 and classes.tolist() == [1, 1]
    numbers = collate([{**row, "labels": value} for row, value in zip(ROWS, (0.5, 2.0), strict=True)], 0)[
        "labels"
    ]
    assert numbers.dtype == torch.float32 and numbers.tolist() == [0.5, 2.0]
