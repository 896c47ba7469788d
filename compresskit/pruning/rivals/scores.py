"""Mask gradients of each row, and the scores of heads and units that come of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.families.base import HEADS, UNITS
from compresskit.pruning.extract import extract
from compresskit.supernet.importance import Importance
from compresskit.supernet.mask_slopes import Batch, Loss, mask_slopes
from compresskit.supernet.pass_through import sub_layer
from compresskit.supernet.surgery import blueprint_of


@dataclass(frozen=True, eq=False)
class MaskGradients:
    """Slope of each row's own loss in each member's mask, at a mask of 1; 0 for members that are gone.

    `heads`: (rows, num_layers, num_heads); `units`: (rows, num_layers, num_units), both on the CPU.
    """

    heads: torch.Tensor
    units: torch.Tensor

    def fisher(self) -> Importance:
        """Diagonal Fisher information: sums over rows of squared slopes (Kwon et al. 2022, equation 6)."""
        return Importance(*(found.double().square().sum(0) for found in (self.heads, self.units)))


def mask_gradients(
    model: nn.Module, architecture: Architecture, batches: Iterable[Batch], loss: Loss
) -> MaskGradients:
    """Of the sub-network `architecture` of `model`, row by row.

    See `mask_slopes`. `loss` is a mean over the rows of a batch. `model` stays as it is.
    """
    blueprint = blueprint_of(model)
    dims = blueprint.dims
    network = extract(model, architecture).eval()
    for parameter in network.parameters():  # enough for a graph through every member, and cheap
        parameter.requires_grad_(parameter.dim() == 1)
    outputs: dict[tuple[int, str], tuple[nn.Module, int]] = {}
    for place, layer in enumerate(architecture.kept_layers):
        for kind in (HEADS, UNITS):
            output = blueprint.output(place, kind)
            module = sub_layer(network, output.module)
            if module is not None:
                outputs[layer, kind] = (module, output.size)
    heads, units = [], []
    for rows, found in mask_slopes(network, outputs, batches, loss):
        of_heads = torch.zeros(rows, dims.num_layers, dims.num_heads)
        of_units = torch.zeros(rows, dims.num_layers, dims.num_units)
        for (layer, kind), slopes in found.items():
            kept = architecture.layers[layer].kept(kind)
            of_members = of_heads if kind == HEADS else of_units
            of_members[:, layer, list(kept.indices)] = slopes.float().cpu()
        heads.append(of_heads)
        units.append(of_units)
    if not heads:
        raise ValueError("mask gradients need at least one batch")
    return MaskGradients(torch.cat(heads), torch.cat(units))
