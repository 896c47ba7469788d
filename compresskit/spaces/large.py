"""LARGE: one bit for each head and each unit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from compresskit.architecture import Architecture, Layer
from compresskit.errors import ArchitectureError
from compresskit.kept import Kept
from compresskit.spaces.base import Space
from compresskit.spaces.medium import MediumSpace
from compresskit.spaces.parameter import Config, Parameter
from compresskit.spaces.sizes import choose


class LargeSpace(Space):
    """`h0_0`, ..., `u0_0`, ...: 1 where head or unit number i of a layer stays.

    With units in multiples, a layer whose number of units is none is repaired by dropping the
    last of its units. Samples draw the sizes as MEDIUM does, then the members, since independent
    bits would make nearly every sample a net of half size.
    (Klein et al., arXiv 2405.02267, section 3.1.)
    """

    name = "large"
    is_compact: ClassVar[bool] = False

    @cached_property
    def _counts(self) -> MediumSpace:
        return MediumSpace(self.dims, layer_policy=self.layer_policy, unit_multiple=self.unit_multiple)

    @cached_property
    def _names(self) -> list[tuple[list[str], list[str]]]:
        """Names of the heads' and the units' bits of each layer."""
        dims = self.dims
        return [
            ([f"h{i}_{j}" for j in range(dims.num_heads)], [f"u{i}_{j}" for j in range(dims.num_units)])
            for i in range(dims.num_layers)
        ]

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        return tuple(Parameter(name, 0, 1) for layer in self._names for row in layer for name in row)

    def _build(self, config: Mapping[str, int]) -> Architecture | None:
        layers = []
        for heads, units in self._names:
            kept_units = [j for j, name in enumerate(units) if config[name]]
            aligned = len(kept_units) // self.unit_multiple * self.unit_multiple
            layers.append(
                Layer(
                    Kept.of(self.dims.num_heads, (j for j, name in enumerate(heads) if config[name])),
                    Kept.of(self.dims.num_units, kept_units[:aligned]),
                )
            )
        return None if all(layer.is_dropped for layer in layers) else Architecture(tuple(layers))

    def encode(self, architecture: Architecture) -> Config:
        architecture.check(self.dims)
        if any(layer.units.count % self.unit_multiple for layer in architecture.layers):
            raise ArchitectureError(
                f"architecture {architecture.signature} is not in space {self.name}: its units are not "
                f"in multiples of {self.unit_multiple}."
            )
        config: Config = {}
        for (heads, units), layer in zip(self._names, architecture.layers, strict=True):
            config |= zip(heads, _bits(layer.heads), strict=True)
            config |= zip(units, _bits(layer.units), strict=True)
        return config

    def _check_values(self, config: Mapping[str, Any]) -> None:
        if not {0, 1}.issuperset(config.values()):  # the common case, without looking at each
            super()._check_values(config)

    def mutate(self, config: Mapping[str, int], rng: np.random.Generator) -> Config:
        """`config` with the heads, or the units, of one layer at another size.

        Members leave or join at random; one bit of tens of thousands would change nothing.
        """
        row = self._names[int(rng.integers(len(self._names)))][int(rng.integers(2))]
        multiple = self.unit_multiple if row[0].startswith("u") else 1
        kept = [name for name in row if config[name]]
        sizes = [n for n in range(0, len(row) + 1, multiple) if n != len(kept)]
        size = sizes[int(rng.integers(len(sizes)))]
        result = dict(config)
        if size < len(kept):
            result |= {kept[i]: 0 for i in choose(len(kept), len(kept) - size, rng)}
        else:
            absent = [name for name in row if not config[name]]
            result |= {absent[i]: 1 for i in choose(len(absent), size - len(kept), rng)}
        return self.canonical(result)

    @property
    def smallest(self) -> Architecture:
        return self._counts.smallest

    @property
    def middle(self) -> Architecture:
        return self._counts.middle

    def sample(self, rng: np.random.Generator, size: float | None = None) -> Config:
        return self.encode(self._members(self._counts.decode(self._counts.sample(rng, size)), rng))

    def sample_architecture(self, rng: np.random.Generator) -> Architecture:
        return self._members(self._counts.sample_architecture(rng), rng)

    def _members(self, sizes: Architecture, rng: np.random.Generator) -> Architecture:
        """As many heads and units as `sizes`, drawn at random in each layer."""
        return Architecture(
            tuple(
                Layer(
                    Kept.of(self.dims.num_heads, choose(self.dims.num_heads, layer.heads.count, rng)),
                    Kept.of(self.dims.num_units, choose(self.dims.num_units, layer.units.count, rng)),
                )
                for layer in sizes.layers
            )
        )


def _bits(kept: Kept) -> list[int]:
    """One bit a member, member 0 first."""
    return [int(bit) for bit in reversed(f"{kept.mask:0{kept.total}b}")] if kept.total else []
