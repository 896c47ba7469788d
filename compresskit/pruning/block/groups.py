"""The groups of a weight that is cut into blocks: their norms, and masks over their members."""

from __future__ import annotations

import torch

from compresskit.blocks import OUTPUTS, Partition


def group_norms(weight: torch.Tensor, partition: Partition) -> torch.Tensor:
    """L2 norm of every group of a `weight` (out, in): (blocks, members), differentiable.

    At a group of zeros the gradient is 0.
    """
    oriented = weight if partition.axis == OUTPUTS else weight.T
    blocks = torch.split(oriented, list(partition.widths(weight.shape)))
    return torch.stack([torch.linalg.vector_norm(block, dim=0) for block in blocks])


def group_sums(values: torch.Tensor, partition: Partition) -> torch.Tensor:
    """Sum of `values` (out, in) over each group: (blocks, members)."""
    oriented = values if partition.axis == OUTPUTS else values.T
    blocks = torch.split(oriented, list(partition.widths(values.shape)))
    return torch.stack([block.sum(dim=0) for block in blocks])


def spread(stays: torch.Tensor, partition: Partition, shape: torch.Size) -> torch.Tensor:
    """The mask (out, in) of a weight of `shape` whose groups `stays` (blocks, members) says."""
    widths = torch.tensor(partition.widths(shape), device=stays.device)
    oriented = stays.repeat_interleave(widths, dim=0)
    return oriented if partition.axis == OUTPUTS else oriented.T
