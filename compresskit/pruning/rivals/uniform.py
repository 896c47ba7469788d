"""The same share of heads and units in every layer: what a user without a search would try."""

from __future__ import annotations

from compresskit.architecture import Architecture, Dimensions
from compresskit.errors import ConfigurationError
from compresskit.pruning.rivals.costs import Costs


def uniform(dims: Dimensions, costs: Costs, limit: float, multiple: int = 1) -> Architecture:
    """The widest architecture of all layers, each with the first of its heads and units, within `limit`.

    Of the numbers of heads, with the units that fit beside them, those whose share of the dense ones is
    nearest to that of the units. Units are a multiple of `multiple`. Raises ConfigurationError where not
    even one head and `multiple` units a layer fit.
    """
    best: tuple[float, Architecture] | None = None
    for heads in range(1, dims.num_heads + 1):
        fitting = [
            units
            for units in range(multiple, dims.num_units + 1, multiple)
            if costs.fixed + dims.num_layers * (costs.heads[heads] + costs.units[units]) <= limit * (1 + 1e-9)
        ]
        if not fitting:
            break
        apart = abs(heads / dims.num_heads - fitting[-1] / dims.num_units)
        if best is None or apart < best[0]:
            best = apart, Architecture.uniform(dims, range(dims.num_layers), heads, fitting[-1])
    if best is None:
        least = costs.of(Architecture.uniform(dims, range(dims.num_layers), 1, multiple))
        raise ConfigurationError(f"a budget of {limit:g} is too small; permitted: {least:g} or more.")
    return best[1]
