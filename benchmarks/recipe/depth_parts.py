"""Small parameters of its own for each depth: they cost nothing once a sub-network is extracted."""

from __future__ import annotations

import copy
from collections.abc import Collection, Mapping

import torch
from torch import nn

from compresskit.architecture import Architecture
from compresskit.errors import ConfigurationError, one_of
from compresskit.families import Blueprint
from compresskit.supernet.network import SuperNetwork

NORMS, HEAD = "norms", "head"
PARTS = (NORMS, HEAD)


class DepthParts(nn.Module):
    """For each depth below the full one, a copy of the parameters that `parts` names.

    `norms`: the LayerNorms of the encoder and the biases of its output projections; `head`: what
    comes after the encoder (pooler, classifier). The full depth uses the shared ones. Slimmable
    networks have batch normalisation of their own for each width (Yu et al. 2019, arXiv
    1812.08928); depth changes the statistics of a residual stream far more than width does.
    Raises ConfigurationError for an unknown part.
    """

    def __init__(self, model: nn.Module, blueprint: Blueprint, parts: Collection[str]) -> None:
        super().__init__()
        for part in parts:
            if part not in PARTS:
                raise ConfigurationError(one_of("part of its own", part, PARTS))
        parameters = dict(model.named_parameters())
        self.names = _names(model, blueprint, parts)
        self.values = nn.ParameterDict(
            {
                _key(depth, name): nn.Parameter(parameters[name].detach().clone())
                for depth in range(1, blueprint.dims.num_layers)
                for name in self.names
            }
        )

    def put_in(self, parameters: Mapping[str, torch.Tensor], depth: int) -> dict[str, torch.Tensor]:
        """`parameters` by name, with those of `depth` in place of the shared ones."""
        own = {name: self.values[key] for name in self.names if (key := _key(depth, name)) in self.values}
        return {**parameters, **own}


class SuperNetworkWithParts(SuperNetwork):
    """A super-network each of whose depths has `parts` of its own (none: one as any other)."""

    def __init__(self, model: nn.Module, parts: Collection[str] = ()) -> None:
        super().__init__(model)
        self.own = DepthParts(model, self.blueprint, parts)

    def parameters_of(self, architecture: Architecture) -> dict[str, torch.Tensor]:
        return self.own.put_in(super().parameters_of(architecture), len(architecture.kept_layers))

    def dense_for(self, architecture: Architecture) -> nn.Module:
        """A copy of the dense model, with the parts of the depth of `architecture`."""
        model = copy.deepcopy(self.model)
        with torch.no_grad():
            for name, value in self.parameters_of(architecture).items():
                model.get_parameter(name).copy_(value)
        return model


def _key(depth: int, name: str) -> str:
    return f"{depth}/{name.replace('.', '/')}"  # a ParameterDict's keys have no dots


def _names(model: nn.Module, blueprint: Blueprint, parts: Collection[str]) -> list[str]:
    family = blueprint.family
    norms = {name for name, module in model.named_modules() if isinstance(module, nn.LayerNorm)}
    found = []
    for name in blueprint.shapes:
        module = name.rpartition(".")[0]
        if name.startswith(f"{family.stem}."):
            inner = module[len(family.stem) + 1 :].partition(".")[2]
            is_output_bias = name.endswith(".bias") and inner in (
                family.attention.writes,
                family.feed_forward.writes,
            )
            if NORMS in parts and (module in norms or is_output_bias):
                found.append(name)
        elif HEAD in parts and module in family.once_linears:
            found.append(name)
    return found
