"""The architectures that are scored, and the area that they dominate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from compresskit.architecture import Architecture, Candidate
from compresskit.pareto import hypervolume
from compresskit.spaces import RankedSpace, Space, kept_layers
from compresskit.supernet.network import SuperNetwork
from compresskit.training.sampling import log_uniform

# (layers, heads, units) relative to 6 layers, 12 heads, 1536 units: from two thirds to an eighteenth.
GRID = (
    (6, 8, 1024),
    (5, 6, 1024),
    (5, 6, 768),
    (4, 6, 768),
    (6, 3, 384),
    (4, 3, 384),
    (3, 6, 384),
    (3, 3, 384),
    (3, 3, 192),
    (2, 3, 192),
)
FULL = (6, 12, 1536)
LENGTH = 128
LEAST_SHARE = 1 / 16


def grid_of(space: Space) -> dict[str, Architecture]:
    """The scored architectures by name, in proportion to the model's own sizes.

    Those of space `ranked` have as many heads and units in all.
    """
    dims, found = space.dims, {}
    for shape in GRID:
        layers, heads, units = (
            max(1, round(kept * total / dense))
            for kept, total, dense in zip(
                shape, (dims.num_layers, dims.num_heads, dims.num_units), FULL, strict=True
            )
        )
        places = kept_layers(dims.num_layers, layers, space.layer_policy)
        uniform = Architecture.uniform(dims, places, heads, units)
        ranked = isinstance(space, RankedSpace)
        found["/".join(map(str, shape))] = space.like(Candidate(uniform)).architecture if ranked else uniform
    return found


def drawn(space: Space, count: int, seed: int, shares: tuple[float, float]) -> list[Architecture]:
    """`count` random architectures whose share of the dense encoder's weights lies within `shares`."""
    generator = np.random.default_rng((seed, count))
    draw = log_uniform(space.sample_architecture, space.relative_size)
    found: dict[Architecture, None] = {}
    for _ in range(1_000 * count):
        if len(found) == count:
            break
        architecture = draw(generator)
        if shares[0] <= space.relative_size(architecture) <= shares[1]:
            found[architecture] = None
    return list(found)


def area_of(supernet: SuperNetwork, known: Mapping[Architecture, float], hidden_width: int = 0) -> float:
    """Area above (1x, prior) that the architectures dominate; x: log of how many times fewer MACs."""
    if not known:
        return 0.0
    blueprint = supernet.blueprint
    dense = blueprint.macs(supernet.full, LENGTH)
    if hidden_width:
        blueprint = replace(blueprint, dims=replace(blueprint.dims, hidden_size=hidden_width))
    costs = [
        (-min(np.log(dense / blueprint.macs(kept, LENGTH)), np.log(1 / LEAST_SHARE)), -value)
        for kept, value in known.items()
    ]
    return hypervolume(costs, (0.0, 0.0))
