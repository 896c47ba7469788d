"""Readies a network to learn from a frozen teacher."""

from __future__ import annotations

import copy

from torch import nn

from compresskit.supernet.network import SuperNetwork


def taught(supernet: SuperNetwork, teacher: nn.Module | None = None) -> nn.Module:
    """Ready the network to learn from `teacher`, or from a frozen copy of itself; returns that."""
    teacher = (teacher or copy.deepcopy(supernet.model)).requires_grad_(False)
    for module in supernet.model.modules():
        if isinstance(module, nn.Dropout):
            module.p = 0.0
    # The teacher's embeddings serve every sub-network; half of a small model's weights need no step.
    embeddings = supernet.model.get_input_embeddings()  # type: ignore[operator]
    embeddings.requires_grad_(False)
    return teacher
