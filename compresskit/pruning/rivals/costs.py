"""What heads and units cost, by their number in a layer: the budgets that masks are chosen under."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.architecture import Architecture
from compresskit.families import Blueprint

Array = npt.NDArray[np.floating[Any]]


@dataclass(frozen=True, eq=False)
class Costs:
    """Cost of one layer's heads and units, in any unit; the same for every layer.

    `heads[n]` is what n heads of a layer cost, `units[n]` likewise; both rise with n. `fixed` is what
    the rest of the model costs.
    """

    heads: Array
    units: Array
    fixed: float

    def of(self, architecture: Architecture) -> float:
        return self.fixed + sum(
            float(self.heads[heads] + self.units[units]) for heads, units in architecture.shapes
        )


def mac_costs(blueprint: Blueprint, length: int, batch: int = 1) -> Costs:
    """Multiply-accumulates, as `Blueprint.macs` counts them."""
    dims = blueprint.dims

    def macs(heads: int, units: int) -> int:
        return blueprint.macs(Architecture.uniform(dims, [0], heads, units), length, batch)

    head, unit = macs(1, 1) - macs(0, 1), macs(1, 1) - macs(1, 0)
    return Costs(
        np.arange(dims.num_heads + 1) * float(head),
        np.arange(dims.num_units + 1) * float(unit),
        float(macs(1, 1) - head - unit),
    )


def interpolated_costs(
    architecture: Architecture,
    heads: Iterable[tuple[int, float]],
    units: Iterable[tuple[int, float]],
    fixed: float,
) -> Costs:
    """Costs between the measured ones of `heads` and `units`: pairs of a number in a layer and its cost.

    Linear between two of them, and never falling: a measurement's noise makes nothing cheaper.
    """
    first = architecture.layers[0]
    return Costs(_table(heads, first.heads.total), _table(units, first.units.total), fixed)


def _table(known: Iterable[tuple[int, float]], total: int) -> Array:
    places, values = zip(*sorted([(0, 0.0), *known]), strict=True)
    table: Array = np.interp(np.arange(total + 1), places, np.maximum.accumulate(values))
    return table
