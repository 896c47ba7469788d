"""Encoded rows to one batch of tensors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch


def collate(
    rows: Sequence[Mapping[str, Any]], pad_id: int, *, length: int | None = None
) -> dict[str, torch.Tensor]:
    """Pad rows to the longest, or to `length` tokens, and stack them.

    Returns int64 tensors (batch, length): `input_ids`, `attention_mask` (1 for a token, 0 for padding) and
    what else the tokenizer gave; and, where the rows have them, `labels` (batch,): int64 for class ids,
    float32 for numbers. Raises ValueError when a row is longer than `length`.
    """
    longest = max(len(row["input_ids"]) for row in rows)
    width = longest if length is None else length
    if longest > width:
        raise ValueError(f"a row of {longest} tokens does not fit a batch of length {width}")
    batch = {
        name: torch.tensor([[*row[name], *[pad] * (width - len(row[name]))] for row in rows])
        for name, pad in _padding(rows[0], pad_id).items()
    }
    batch["attention_mask"] = torch.tensor(
        [[1] * len(row["input_ids"]) + [0] * (width - len(row["input_ids"])) for row in rows]
    )
    if "labels" in rows[0]:
        labels = [row["labels"] for row in rows]
        is_number = any(isinstance(label, float) for label in labels)
        batch["labels"] = torch.tensor(labels, dtype=torch.float32 if is_number else torch.int64)
    return batch


def _padding(row: Mapping[str, Any], pad_id: int) -> dict[str, int]:
    names = [name for name in row if name not in ("labels", "attention_mask")]
    return {name: pad_id if name == "input_ids" else 0 for name in names}
