"""The sizes that methods make: shares of the dense model's multiply-accumulates."""

from __future__ import annotations

import numpy as np

from compresskit.methods.base import MethodContext
from compresskit.pruning.rivals.costs import Costs, mac_costs

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


def costs_of(context: MethodContext) -> Costs:
    """Multiply-accumulates at the profile's batch and length, as `context.macs` counts them."""
    profile = context.inputs.profile
    return mac_costs(context.blueprint, profile.length, profile.batch)


def least_share(context: MethodContext) -> float:
    """What one head and one group of units take of the dense multiply-accumulates."""
    costs, multiple = costs_of(context), context.settings.unit_multiple
    return float(costs.fixed + costs.heads[1] + costs.units[multiple]) / context.full_macs
