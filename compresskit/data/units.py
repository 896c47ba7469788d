"""Rows that stand or fall together, such as the passages of one query."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

IntArray = npt.NDArray[np.int64]
ROWS = "rows"


class Units(NamedTuple):
    """`first`: (units,) the first row of each, ascending. `of`: (rows,) the number of each row's unit."""

    first: IntArray
    of: IntArray

    def rows(self, chosen: IntArray) -> IntArray:
        """All rows of the units that are `chosen`, ascending."""
        return np.flatnonzero(np.isin(self.of, chosen)).astype(np.int64)


def units_of(texts: Sequence[tuple[str, ...]], name: str) -> Units:
    """Rows with equal texts together; each on its own where the units are called `ROWS`."""
    if name == ROWS:
        each = np.arange(len(texts), dtype=np.int64)
        return Units(each, each)
    numbers: dict[tuple[str, ...], int] = {}
    of = np.asarray([numbers.setdefault(row, len(numbers)) for row in texts], dtype=np.int64)
    return Units(np.unique(of, return_index=True)[1].astype(np.int64), of)
