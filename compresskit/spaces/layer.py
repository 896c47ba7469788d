"""LAYER: one bit a layer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from compresskit.architecture import Architecture
from compresskit.spaces.base import Space
from compresskit.spaces.parameter import Config, Parameter
from compresskit.spaces.policies import kept_layers
from compresskit.spaces.sizes import choose


class LayerSpace(Space):
    """`l0`, `l1`, ...: 1 where a layer stays, whole. (Klein et al., arXiv 2405.02267, section 3.1.)"""

    name = "layer"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(f"l{layer}", 0, 1) for layer in range(self.dims.num_layers))

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        layers = [i for i in range(self.dims.num_layers) if config[f"l{i}"]]
        return self._of(layers) if layers else None

    def _of(self, layers: list[int] | tuple[int, ...]) -> Architecture:
        return Architecture.uniform(self.dims, layers, self.dims.num_heads, self.dims.num_units)

    def encode(self, architecture: Architecture) -> Config:
        architecture.check(self.dims)
        config = {f"l{i}": int(not layer.is_dropped) for i, layer in enumerate(architecture.layers)}
        return self._check_is(architecture, config)

    @property
    def smallest(self) -> Architecture:
        return self._of([0])

    @property
    def middle(self) -> Architecture:
        num_layers = self.dims.num_layers
        return self._of(kept_layers(num_layers, -(-num_layers // 2), self.layer_policy))

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        num_layers = self.dims.num_layers
        if size is None:
            depth = int(rng.integers(1, num_layers, endpoint=True))
        else:
            depth = max(1, round(size * num_layers))
        kept = set(choose(num_layers, depth, rng))
        return {f"l{i}": int(i in kept) for i in range(num_layers)}
