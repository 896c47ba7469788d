"""The sizes that methods make: shares of the dense model's multiply-accumulates."""

from __future__ import annotations

import numpy as np

from compresskit.methods.base import MethodContext
from compresskit.pruning.rivals.selection import least_cost

# A network of a 28th of MiniLM's multiply-accumulates is about 18 times as fast: much else takes time.
LARGEST, SMALLEST = 0.85, 1 / 28


def ladder(count: int, least: float = 0.0) -> list[float]:
    """`count` target sizes as shares of the dense multiply-accumulates, the largest first.

    Evenly spaced in their logarithm from 0.85 to 1/28, or to `least` where a method gets no smaller.
    """
    end = min(max(SMALLEST, least), LARGEST)
    if count == 1:
        return [float(np.sqrt(LARGEST * end))]
    return [float(share) for share in np.geomspace(LARGEST, end, count)]


def least_share(context: MethodContext) -> float:
    """What one head and one group of units take of the dense multiply-accumulates."""
    costs, multiple = context.mac_costs, context.settings.unit_multiple
    return float(costs.fixed + costs.heads[1] + costs.units[multiple]) / context.full_macs


def least_even_share(context: MethodContext) -> float:
    """The same with a head and a group of units in every layer."""
    return least_cost(context.full, context.mac_costs, context.settings.unit_multiple) / context.full_macs
