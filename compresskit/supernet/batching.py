"""Encoded rows to one batch of tensors."""

from __future__ import annotations

from collections.abc import Sequence

import torch

from compresskit.inputs import InputSpec, Row
from compresskit.tasks.base import TaskKind
from compresskit.tasks.examples import Array

Batch = dict[str, torch.Tensor]


def batch_of(
    inputs: InputSpec, rows: Sequence[Row], *, names: Sequence[str] | None = None, length: int | None = None
) -> Batch:
    """Tensors (batch, ...) of the model's inputs, padded to the longest row or to `length`.

    Raises ValueError when a row is longer than `length`.
    """
    return {name: torch.from_numpy(value) for name, value in inputs.batch(rows, names, length=length).items()}


def labelled_batch(inputs: InputSpec, kind: TaskKind, rows: Sequence[Row], labels: Array) -> Batch:
    """A batch with `labels`: what it is trained on, int64 for class ids and float32 for numbers."""
    batch = batch_of(inputs, rows)
    width = int(inputs.lengths(rows).max())
    targets = torch.from_numpy(kind.targets(rows, labels, width))
    batch["labels"] = targets.float() if targets.is_floating_point() else targets.long()
    return batch
