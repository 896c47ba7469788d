"""What a task is scored by, of the output of a transformers model."""

from __future__ import annotations

from collections.abc import Mapping

import torch

from compresskit.outputs import scored


def said(output: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """(batch, ...) the logits, or several outputs of (batch, length) as (batch, length, outputs)."""
    values = [output[name] for name in scored(list(output))]
    return values[0] if len(values) == 1 else torch.stack(values, dim=-1)
