"""Batches with what they are trained on."""

from __future__ import annotations

import numpy as np
import torch

from compresskit.inputs import TEXT, text_inputs
from compresskit.supernet.batching import batch_of, labelled_batch
from compresskit.tasks.classification import Classification
from compresskit.tasks.regression import Regression

ROWS = [{"input_ids": [5, 6, 7], "token_type_ids": [0, 0, 1]}, {"input_ids": [8], "token_type_ids": [0]}]


def test_rows_are_padded_to_the_longest() -> None:
    batch = batch_of(text_inputs(TEXT.names, 9), ROWS)
    assert {name: value.tolist() for name, value in batch.items()} == {
        "input_ids": [[5, 6, 7], [8, 9, 9]],
        "token_type_ids": [[0, 0, 1], [0, 0, 0]],
        "attention_mask": [[1, 1, 1], [1, 0, 0]],
    }
    assert all(value.dtype == torch.int64 for value in batch.values())


def test_labels_are_class_ids_or_numbers() -> None:
    classes = labelled_batch(TEXT, Classification(("a", "b"), "accuracy"), ROWS, np.asarray([1, 1]))["labels"]
    assert classes.dtype == torch.int64 and classes.tolist() == [1, 1]
    numbers = labelled_batch(TEXT, Regression((), "pearson"), ROWS, np.asarray([0.5, 2.0]))["labels"]
    assert numbers.dtype == torch.float32 and numbers.tolist() == [0.5, 2.0]
