"""Kept members moved to the front, so that counts say what stays and slices are contiguous."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from compresskit.architecture import Architecture, Dimensions, Kept, Layer
from compresskit.supernet.importance import Importance, reorder
from compresskit.supernet.surgery import blueprint_of


def move_to_front(model: nn.Module, nested: Sequence[Architecture]) -> list[Architecture]:
    """Permute heads and units of `model` in place; returns the same architectures by counts alone.

    Each of `nested` must lie within the one before. The model computes the same, and so do the
    architectures' sub-networks.
    """
    blueprint = blueprint_of(model)
    masks = [_mask(architecture, blueprint.dims) for architecture in nested]
    device = next(model.parameters()).device
    heads = torch.stack([mask.heads for mask in masks]).sum(0).to(device)
    units = torch.stack([mask.units for mask in masks]).sum(0).to(device)
    reorder(model, blueprint, Importance(heads, units))
    return [_first(architecture) for architecture in nested]


def _mask(architecture: Architecture, dims: Dimensions) -> Importance:
    """1 for every member that stays, 0 for the others."""
    heads = torch.zeros(dims.num_layers, dims.num_heads)
    units = torch.zeros(dims.num_layers, dims.num_units)
    for number, layer in enumerate(architecture.layers):
        heads[number, list(layer.heads.indices)] = 1
        units[number, list(layer.units.indices)] = 1
    return Importance(heads, units)


def _first(architecture: Architecture) -> Architecture:
    return Architecture(
        tuple(
            Layer(
                Kept.first(layer.heads.total, layer.heads.count),
                Kept.first(layer.units.total, layer.units.count),
            )
            for layer in architecture.layers
        )
    )
