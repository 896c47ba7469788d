"""Which layers stay at a given depth."""

from __future__ import annotations

from collections.abc import Callable

from compresskit.errors import ArchitectureError, ConfigurationError, one_of


def _first(num_layers: int, depth: int) -> tuple[int, ...]:
    return tuple(range(depth))


def _spread(num_layers: int, depth: int) -> tuple[int, ...]:
    if depth == 1:
        return (0,)
    return tuple(i * (num_layers - 1) // (depth - 1) for i in range(depth))


LAYER_POLICIES: dict[str, Callable[[int, int], tuple[int, ...]]] = {"first": _first, "spread": _spread}
DEFAULT_LAYER_POLICY = "spread"


def kept_layers(num_layers: int, depth: int, policy: str = DEFAULT_LAYER_POLICY) -> tuple[int, ...]:
    """The `depth` layers of `num_layers` that stay, ascending.

    `first` keeps the lowest, as Klein et al. (arXiv 2405.02267) do; `spread` keeps them evenly over
    the depth, the first and the last among them (of 6: 4 -> 0, 1, 3, 5; 3 -> 0, 2, 5).
    Raises ArchitectureError unless 1 <= depth <= num_layers, ConfigurationError for another policy.
    """
    if policy not in LAYER_POLICIES:
        raise ConfigurationError(one_of("layer policy", policy, LAYER_POLICIES))
    if not 1 <= depth <= num_layers:
        raise ArchitectureError(f"depth {depth} is not possible; permitted: 1 to {num_layers}.")
    return LAYER_POLICIES[policy](num_layers, depth)
