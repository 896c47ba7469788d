"""Whole layers go: from the top, from the bottom, or every other one."""

from __future__ import annotations

from compresskit.architecture import Architecture, Dimensions
from compresskit.errors import ArchitectureError, ConfigurationError, one_of

TOP, BOTTOM, ALTERNATING = "top", "bottom", "alternating"
POLICIES = (TOP, BOTTOM, ALTERNATING)


def drop_order(num_layers: int, policy: str) -> list[int]:
    """All layers in the order in which they go (Sajjad et al. 2020, arXiv 2004.03844, section 3).

    `alternating` takes every other layer from the top downwards, the last one first, and then every
    other one of those left; layer 0 stays longest. Raises ConfigurationError for another policy.
    """
    if policy == TOP:
        return list(range(num_layers))[::-1]
    if policy == BOTTOM:
        return list(range(num_layers))
    if policy != ALTERNATING:
        raise ConfigurationError(one_of("policy of layer dropping", policy, POLICIES))
    left, order = list(range(num_layers)), []
    while len(left) > 1:
        order += left[1::2][::-1]
        left = left[::2]
    return [*order, *left]


def layer_drop(dims: Dimensions, depth: int, policy: str) -> Architecture:
    """The architecture that keeps `depth` layers whole. ArchitectureError unless 1 <= depth <= num_layers."""
    if not 1 <= depth <= dims.num_layers:
        raise ArchitectureError(f"depth {depth} is not possible; permitted: 1 to {dims.num_layers}.")
    kept = drop_order(dims.num_layers, policy)[dims.num_layers - depth :]
    return Architecture.uniform(dims, kept, dims.num_heads, dims.num_units)
