"""Units in an order in which what a block keeps stands together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from compresskit.blocks import INPUTS, OUTPUTS, Partition
from compresskit.families import Projection
from compresskit.families.base import UNITS
from compresskit.pruning.block.groups import group_sums
from compresskit.pruning.block.pruned import PrunedBlocks
from compresskit.supernet.importance import permute

Places = npt.NDArray[np.int64]


@torch.no_grad()
def sort_units(model: nn.Module, pruned: PrunedBlocks) -> PrunedBlocks:
    """Permute the units of `model` in place, and the masks with them; the model computes the same.

    Units that serve the same blocks stand together, dead ones last. With two blocks, each block's units
    are then one run, which needs no gather. Units never leave a block that they are cut into.
    """
    parameters = dict(model.named_parameters())
    masks = {name: mask.clone() for name, mask in pruned.masks.items()}
    units = pruned.units.clone()
    for layer in range(pruned.blueprint.dims.num_layers):
        holding = [each for each in pruned.blueprint.projections(layer) if each.kind == UNITS]
        cuts: list[Places] = []
        classes: list[Places] = []
        for each in holding:
            of_cuts, of_classes = _places_and_classes(each, pruned.partitions.get(each.module), masks)
            cuts, classes = [*of_cuts, *cuts], [*classes, *of_classes]
        order = np.lexsort([*classes, ~units[layer].numpy(), *cuts])
        units[layer] = units[layer][torch.from_numpy(order)]
        for each in holding:
            permute(parameters, each, order)
            permute(masks, each, order)
    return replace(pruned, masks=masks, units=units)


def _places_and_classes(
    projection: Projection, partition: Partition | None, masks: Mapping[str, torch.Tensor]
) -> tuple[list[Places], list[Places]]:
    """For each part: the block that each unit is cut into, or else a rank of the set of blocks it serves."""
    if partition is None:
        return [], []
    mask = masks[f"{projection.module}.weight"]
    if partition.axis == (OUTPUTS if projection.reads else INPUTS):
        widths = partition.widths(mask.shape)
        return list(np.repeat(np.arange(len(widths)), widths).reshape(len(projection.parts), -1)), []
    served = (group_sums(mask.to(torch.float32), partition) > 0).numpy()
    return [], list(map(gray_rank, np.split(served, len(projection.parts), axis=1)))


def gray_rank(served: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """A rank of the set of blocks that each member serves, from (blocks, members).

    Sets are ranked by their position in the Gray code: neighbours differ in one block, so that two blocks
    make two runs.
    """
    digits = np.logical_xor.accumulate(served[::-1], axis=0)  # of the position, the highest first
    rank: npt.NDArray[np.int64] = np.unique(digits, axis=1, return_inverse=True)[1].reshape(-1)
    return rank
