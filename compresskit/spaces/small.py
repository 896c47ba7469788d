"""SMALL: one depth, one number of heads and one of units for the whole net."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from compresskit.architecture import Architecture
from compresskit.spaces.base import Space
from compresskit.spaces.parameter import Config, Parameter
from compresskit.spaces.policies import kept_layers


class SmallSpace(Space):
    """`layers`, `heads` and `units`, each at least 1 (units: one multiple).

    Every layer that stays keeps the first `heads` heads and `units` units; which layers stay is
    the layer policy's. (Klein et al., arXiv 2405.02267, section 3.1.)
    """

    name = "small"

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        dims, multiple = self.dims, self.unit_multiple
        return (
            Parameter("layers", 1, dims.num_layers),
            Parameter("heads", 1, dims.num_heads),
            Parameter("units", multiple, dims.num_units, multiple),
        )

    def _build(self, config: Mapping[str, int]) -> Architecture:
        return self._of(config["layers"], config["heads"], config["units"])

    def _of(self, depth: int, heads: int, units: int) -> Architecture:
        layers = kept_layers(self.dims.num_layers, depth, self.layer_policy)
        return Architecture.uniform(self.dims, layers, heads, units)

    def encode(self, architecture: Architecture) -> Config:
        heads, units = architecture.shapes[0]
        config = {"layers": len(architecture.shapes), "heads": heads, "units": units}
        return self._check_is(architecture, config)

    @property
    def smallest(self) -> Architecture:
        return self._of(1, 1, self.unit_multiple)

    @property
    def middle(self) -> Architecture:
        units = max(self.unit_multiple, self._aligned(0.5))
        return self._of(-(-self.dims.num_layers // 2), -(-self.dims.num_heads // 2), units)

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        dims = self.dims
        size = rng.uniform() if size is None else size
        shallowest = max(1, int(np.ceil(size * dims.num_layers)))
        depth = int(rng.integers(shallowest, dims.num_layers, endpoint=True))
        # Of each layer that stays, a share: `attention` of it can be heads, the rest units.
        share = size * dims.num_layers / depth
        attention = self._attention_share
        least = max(0.0, (share - (1 - attention)) / attention)
        heads_share = rng.uniform(least, min(1.0, share / attention))
        heads = min(max(round(heads_share * dims.num_heads), 1), dims.num_heads)
        units_share = (share - attention * heads / dims.num_heads) / (1 - attention)
        units = max(self._aligned(min(max(units_share, 0.0), 1.0)), self.unit_multiple)
        return {"layers": depth, "heads": heads, "units": units}
