"""Units in an order in which what a block keeps stands together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from compresskit.blocks import INPUTS, OUTPUTS, Partition
from compresskit.pruning.block.groups import group_sums
from compresskit.pruning.block.pruned import PrunedBlocks


@torch.no_grad()
def sort_units(model: nn.Module, pruned: PrunedBlocks) -> PrunedBlocks:
    """Permute the units of `model` in place, and the masks with them; the model computes the same.

    Units that serve the same blocks stand together, dead ones last. With two blocks, each block's units
    are then one run, which needs no gather. Units never leave a block that they are cut into.
    """
    family, dims = pruned.blueprint.family, pruned.blueprint.dims
    masks = dict(pruned.masks)
    units = pruned.units.clone()
    for layer in range(dims.num_layers):
        prefix = f"{family.stem}.{layer}."
        up, down = f"{prefix}{family.up}", f"{prefix}{family.down}"
        up_cut, up_class = _place_and_class(f"{up}.weight", OUTPUTS, pruned.partitions.get(up), masks)
        down_cut, down_class = _place_and_class(f"{down}.weight", INPUTS, pruned.partitions.get(down), masks)
        dead = ~units[layer].numpy()
        keys = [key for key in (up_class, down_class, dead, down_cut, up_cut) if key is not None]
        order = torch.from_numpy(np.lexsort(keys))
        units[layer] = units[layer][order]
        for name, dim in ((f"{up}.weight", 0), (f"{up}.bias", 0), (f"{down}.weight", 1)):
            parameter = model.get_parameter(name)
            parameter.copy_(parameter.index_select(dim, order.to(parameter.device)))
            if name in masks:
                masks[name] = masks[name].index_select(dim, order)
    return replace(pruned, masks=masks, units=units)


def _place_and_class(
    weight: str, axis_of_units: str, partition: Partition | None, masks: Mapping[str, torch.Tensor]
) -> tuple[npt.NDArray[np.int64] | None, npt.NDArray[np.int64] | None]:
    """The block that each unit is cut into, or else a rank of the set of blocks that it serves."""
    if partition is None:
        return None, None
    mask = masks[weight]
    if partition.axis == axis_of_units:
        widths = partition.widths(mask.shape)
        return np.repeat(np.arange(len(widths)), widths), None
    return None, gray_rank((group_sums(mask.to(torch.float32), partition) > 0).numpy())


def gray_rank(served: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
    """A rank of the set of blocks that each member serves, from (blocks, members).

    Sets are ranked by their position in the Gray code: neighbours differ in one block, so that two blocks
    make two runs.
    """
    digits = np.logical_xor.accumulate(served[::-1], axis=0)  # of the position, the highest first
    rank: npt.NDArray[np.int64] = np.unique(digits, axis=1, return_inverse=True)[1].reshape(-1)
    return rank
