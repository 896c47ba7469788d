"""One order for the heads of all layers, and one for their units."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from compresskit.architecture import Dimensions
from compresskit.spaces.parameter import Scores


@dataclass(frozen=True, slots=True)
class Ranking:
    """Layer ids in the order in which heads, and groups of units, are kept: the most important first.

    Within a layer the first heads and units matter most, so that a layer's id is enough. Before any layer
    has two, each has one: what a score says of one of many that serve alike says nothing of the last.
    `heads`: num_layers * num_heads ids; `units`: one id a group of units.
    """

    heads: tuple[int, ...]
    units: tuple[int, ...]

    @classmethod
    def of_scores(cls, heads: Scores, units: Scores, multiple: int) -> Self:
        """By sums of scores, with units in groups of `multiple`.

        `heads`: (num_layers, num_heads); `units`: (num_layers, num_units), each layer's in falling order.
        """
        groups = units.reshape(len(units), -1, multiple).sum(-1)
        return cls(_order(heads), _order(groups))

    @classmethod
    def even(cls, dims: Dimensions, multiple: int) -> Self:
        """Layers in turn: what a model has before any score is known."""
        layers = tuple(range(dims.num_layers))
        return cls(layers * dims.num_heads, layers * (dims.num_units // multiple))


def _order(scores: Scores) -> tuple[int, ...]:
    """The row of each score, the largest first, but one of each row before all others.

    Scores fall within a row.
    """
    order = np.argsort(-scores, axis=None, kind="stable")
    is_best = order % scores.shape[1] == 0
    rows = np.concatenate([order[is_best], order[~is_best]]) // scores.shape[1]
    return tuple(int(row) for row in rows)
