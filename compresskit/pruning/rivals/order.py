"""Kept members moved to the front, so that counts say what stays and slices are contiguous."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn

from compresskit.architecture import Architecture, Layer
from compresskit.kept import Kept
from compresskit.pruning.masks import member_masks
from compresskit.supernet.importance import Importance, reorder
from compresskit.supernet.surgery import blueprint_of


def move_to_front(model: nn.Module, nested: Sequence[Architecture]) -> list[Architecture]:
    """Permute heads and units of `model` in place; returns the same architectures by counts alone.

    Each of `nested` must lie within the one before. The model computes the same, and so do the
    architectures' sub-networks.
    """
    blueprint = blueprint_of(model)
    device = next(model.parameters()).device
    masks = zip(*map(member_masks, nested), strict=True)
    reorder(model, blueprint, Importance(*(torch.stack(each).sum(0).to(device) for each in masks)))
    return [_first(architecture) for architecture in nested]


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
