"""Predictions of a sub-network on encoded rows."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from compresskit.architecture import Architecture
from compresskit.display import UNCOUNTED, Counter
from compresskit.inputs import in_order
from compresskit.supernet.batching import batch_of
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.output import said
from compresskit.tasks.task import Split, Task


@torch.no_grad()  # not inference mode: skeletons made here serve training as well
def predict(
    supernet: SuperNetwork,
    task: Task,
    split: Split,
    *,
    architecture: Architecture | None = None,
    batch_size: int = 64,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[Any]:
    """What `architecture` (default: dense) says of `split`, in its order: the task's predictions."""
    device = next(supernet.parameters()).device
    was_training = supernet.training
    supernet.eval()
    lengths = task.lengths(split)
    order = np.argsort(lengths, kind="stable")
    parts: list[npt.NDArray[np.float32]] = []
    for start in range(0, len(order), batch_size):
        rows = [split.encoded[i] for i in order[start : start + batch_size]]
        batch = {name: value.to(device) for name, value in batch_of(task.inputs, rows).items()}
        parts.append(said(supernet(architecture, **batch)).float().cpu().numpy())
        counter.advance(len(rows))
    supernet.train(was_training)
    return task.kind.predictions(in_order(parts, order, lengths), split.encoded)
