"""From a super-network and an architecture to an ordinary, smaller model."""

from __future__ import annotations

import copy
from collections.abc import Mapping

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.families import Blueprint
from compresskit.supernet.surgery import blueprint_of, reshape


def extract(model: nn.Module, architecture: Architecture) -> nn.Module:
    """The pruned model: parameters copied out of the dense `model`, which stays as it is.

    Its Linear layers have the architecture's sizes; an absent sub-layer is a pass-through.
    Raises ArchitectureError when the architecture does not fit.
    """
    blueprint = blueprint_of(model)
    parameters = dict(model.named_parameters())
    cuts = blueprint.plan(architecture).apply(parameters, lambda value: value.detach().clone())
    return assemble(model, architecture, blueprint, cuts)


def assemble(
    model: nn.Module,
    architecture: Architecture,
    blueprint: Blueprint,
    weights: Mapping[str, torch.Tensor],
) -> nn.Module:
    """A model shaped like `architecture` with `weights`; `model` lends its structure only."""
    memo = {id(tensor): nn.Parameter(torch.empty(0)) for tensor in model.parameters()}
    pruned = copy.deepcopy(model, memo)
    reshape(pruned, blueprint.plan(architecture), blueprint)
    for name, value in weights.items():
        owner, _, leaf = name.rpartition(".")
        module = pruned.get_submodule(owner)
        setattr(module, leaf, nn.Parameter(value))
        if isinstance(module, nn.Linear) and leaf == "weight":
            module.out_features, module.in_features = value.shape
    tie = getattr(pruned, "tie_weights", None)
    if tie is not None:
        tie()
    return pruned
