"""Dense encoders that benchmarks prune, and the plain export that ours is compared with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from torch import nn
from transformers import AutoModelForSequenceClassification, BertConfig, BertForSequenceClassification

from compresskit.engine.export import input_names_of


def pretrained(folder: str | Path) -> nn.Module:
    """The classifier in `folder`, in float32; a head that it lacks is drawn."""
    model: nn.Module = AutoModelForSequenceClassification.from_pretrained(folder, dtype=torch.float32)
    return model


def drawn_bert(**sizes: int) -> nn.Module:
    """A BERT, BERT-base without `sizes`, with random weights: latency does not depend on their values."""
    torch.manual_seed(0)
    return BertForSequenceClassification(BertConfig(**sizes))  # type: ignore[no-any-return]


def plain_program(model: nn.Module) -> Any:
    """torch.onnx.export as its documentation shows it: batch and length dynamic, all else its default."""
    names = input_names_of(model)
    program = torch.onnx.export(
        model,
        kwargs={name: torch.ones(2, 8, dtype=torch.int64) for name in names},
        dynamo=True,
        input_names=list(names),
        output_names=["logits"],
        dynamic_shapes={name: {0: "batch", 1: "length"} for name in names},
        verbose=False,
    )
    assert program is not None
    return program
