"""MEDIUM: a number of heads and a number of units for each layer."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from compresskit.architecture import Architecture
from compresskit.spaces.base import Space
from compresskit.spaces.parameter import Config, Parameter
from compresskit.spaces.sizes import choose, fill


class MediumSpace(Space):
    """`h0`, `u0`, `h1`, ...: heads (0 to all) and units (0 to all) of each layer, the first of each.

    Without heads or units a layer's attention or feed-forward is the identity; without both the
    layer is dropped. (Klein et al., arXiv 2405.02267, section 3.1.)
    """

    name = "medium"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        dims = self.dims
        return tuple(
            parameter
            for layer in range(dims.num_layers)
            for parameter in (
                Parameter(f"h{layer}", 0, dims.num_heads),
                Parameter(f"u{layer}", 0, dims.num_units, self.unit_multiple),
            )
        )

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        counts = [(config[f"h{i}"], config[f"u{i}"]) for i in range(self.dims.num_layers)]
        return Architecture.of_counts(self.dims, counts) if any(map(any, counts)) else None

    def encode(self, architecture: Architecture) -> Config:
        config = {}
        for i, layer in enumerate(architecture.layers):
            config[f"h{i}"] = layer.heads.count
            config[f"u{i}"] = layer.units.count
        architecture.check(self.dims)
        return self._check_is(architecture, config)

    @property
    def smallest(self) -> Architecture:
        return Architecture.uniform(self.dims, [0], 1, self.unit_multiple)

    @property
    def middle(self) -> Architecture:
        dims = self.dims
        return Architecture.uniform(
            dims, range(dims.num_layers), -(-dims.num_heads // 2), max(self.unit_multiple, self._aligned(0.5))
        )

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        dims = self.dims
        size = rng.uniform() if size is None else size
        shallowest = max(1, int(np.ceil(size * dims.num_layers)))
        depth = int(rng.integers(shallowest, dims.num_layers, endpoint=True))
        layers = choose(dims.num_layers, depth, rng)
        weights = np.array([dims.num_heads * dims.head_weight, dims.num_units * dims.unit_weight] * depth)
        shares = fill(weights.astype(np.float64), size * dims.num_layers * dims.layer_weight, rng)
        config = {parameter.name: 0 for parameter in self.parameters}
        for position, layer in enumerate(layers):
            config[f"h{layer}"] = round(float(shares[2 * position]) * dims.num_heads)
            config[f"u{layer}"] = self._aligned(float(shares[2 * position + 1]))
        return self.canonical(config)
