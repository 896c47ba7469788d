"""Sliced forward and backward: a sub-network computes with views of the shared weights."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.func import functional_call

from compresskit.architecture import Architecture
from compresskit.families import Blueprint
from compresskit.slicing import SlicingPlan
from compresskit.supernet.heads import heads_of, tell_counts, tell_heads
from compresskit.supernet.surgery import blueprint_of, skeleton_of


class SuperNetwork(nn.Module):
    """One dense model whose parameters every sub-network shares.

    No masks: a sub-network's step costs what its own size costs, and its gradients flow into
    the slices of the dense parameters that it used.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model
        self.blueprint: Blueprint = blueprint_of(model)
        self._skeletons: dict[tuple[object, ...], nn.Module] = {}
        self._full = Architecture.full(self.blueprint.dims)
        self._kinds = self.blueprint.kinds(model.config)

    @property
    def full(self) -> Architecture:
        """The architecture that keeps everything."""
        return self._full

    @property
    def attention(self) -> str:
        """Name of the attention kernel, as transformers calls it (`sdpa`, `eager`); may be set."""
        config: Any = self.model.config
        name: str = config._attn_implementation
        return name

    @attention.setter
    def attention(self, name: str) -> None:
        self.model.set_attn_implementation(name)  # type: ignore[operator]
        self._skeletons.clear()  # each has a copy of the configuration

    def forward(self, architecture: Architecture | None = None, **inputs: Any) -> Any:
        """Output of the sub-network `architecture` (default: the dense model) on `inputs`.

        `inputs` are those of the transformers model, e.g. `input_ids` of shape (batch, length).
        """
        if architecture is None or architecture == self._full:
            return self.model(**inputs)
        plan = self.blueprint.plan(architecture)
        skeleton = self._skeleton(architecture, plan)
        skeleton.train(self.model.training)
        tell_counts(skeleton, plan.counts)
        tell_heads(skeleton, plan.own_heads(heads_of(self.model)), self.blueprint.dims.head_size)
        parameters = self.parameters_of(architecture)
        return functional_call(skeleton, plan.apply(parameters), kwargs=inputs, tie_weights=True)

    def parameters_of(self, architecture: Architecture) -> dict[str, torch.Tensor]:
        """The dense parameters by name of which `architecture` uses slices."""
        return dict(self.model.named_parameters())

    def _skeleton(self, architecture: Architecture, plan: SlicingPlan) -> nn.Module:
        # Kinds of layers and the pattern of absent parts shape the skeleton; sizes come with the parameters.
        pattern = tuple(
            (self._kinds[number], bool(layer.heads.mask), bool(layer.units.mask))
            for number, layer in enumerate(architecture.layers)
            if not layer.is_dropped
        )
        if pattern not in self._skeletons:
            self._skeletons[pattern] = skeleton_of(self.model, plan, self.blueprint)
        return self._skeletons[pattern]
