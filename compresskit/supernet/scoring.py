"""Predictions of a sub-network on encoded rows."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import torch

from compresskit.architecture import Architecture
from compresskit.display import UNCOUNTED, Counter
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.collation import collate
from compresskit.tasks.task import Split

Metric = Callable[[npt.NDArray[np.float32], npt.NDArray[np.generic]], float]


@torch.no_grad()  # not inference mode: skeletons made here serve training as well
def predict(
    supernet: SuperNetwork,
    split: Split,
    *,
    pad_id: int,
    architecture: Architecture | None = None,
    batch_size: int = 64,
    counter: Counter = UNCOUNTED,
) -> npt.NDArray[np.float32]:
    """Logits (rows, labels) of `architecture` (default: dense) in the split's order."""
    device = next(supernet.parameters()).device
    was_training = supernet.training
    supernet.eval()
    order = np.argsort(split.lengths, kind="stable")
    logits: list[torch.Tensor] = []
    for start in range(0, len(order), batch_size):
        rows = [split.encoded[i] for i in order[start : start + batch_size]]
        batch = {name: value.to(device) for name, value in collate(rows, pad_id).items()}
        logits.append(supernet(architecture, **batch).logits.float().cpu())
        counter.advance(len(rows))
    supernet.train(was_training)
    result = np.empty((len(order), logits[0].shape[-1]), dtype=np.float32)
    result[order] = torch.cat(logits).numpy()
    return result
