"""An architecture as masks over the members of the dense model."""

from __future__ import annotations

import torch

from compresskit.architecture import Architecture


def member_masks(architecture: Architecture) -> tuple[torch.Tensor, torch.Tensor]:
    """Heads (num_layers, num_heads) and units (num_layers, num_units), bool: True for what stays."""
    layers = architecture.layers
    heads = torch.zeros(len(layers), layers[0].heads.total, dtype=torch.bool)
    units = torch.zeros(len(layers), layers[0].units.total, dtype=torch.bool)
    for number, layer in enumerate(layers):
        heads[number, list(layer.heads.indices)] = True
        units[number, list(layer.units.indices)] = True
    return heads, units
