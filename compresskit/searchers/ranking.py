"""Ranks of several objectives in one number, for the schedulers of Syne Tune."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from syne_tune.optimizer.schedulers.multiobjective.multiobjective_priority import MOPriority

from compresskit.pareto import Costs, pareto_mask


def ranks_of(costs: npt.ArrayLike) -> npt.NDArray[np.int64]:
    """Rank (n,) of each row of costs (n, m), 0 the best.

    Front by front; within one, the row with the least first cost comes first, then always the one
    farthest from those before it (Salinas et al., "A multi-objective perspective on jointly tuning
    hardware and hyperparameters", 2021). Objectives ought to be of one scale.
    """
    array: Costs = np.asarray(costs, dtype=np.float64)
    left = np.arange(len(array))
    order: list[int] = []
    while len(left):
        front = pareto_mask(array[left])
        order += _spread(array, left[front])
        left = left[~front]
    ranks = np.empty(len(array), dtype=np.int64)
    ranks[order] = np.arange(len(array))
    return ranks


def _spread(costs: Costs, rows: npt.NDArray[np.int64]) -> list[int]:
    """`rows` so ordered that each is far from those before it."""
    first = int(rows[np.argmin(costs[rows, 0])])
    order, left = [first], [int(row) for row in rows if row != first]
    while left:
        distances = np.linalg.norm(costs[left][:, None] - costs[order][None], axis=-1).min(axis=1)
        order.append(left.pop(int(np.argmax(distances))))
    return order


class NonDominatedRank(MOPriority):  # type: ignore[misc]
    """The priority of an element is its rank.

    Syne Tune's own non-dominated priority returns the sorted positions in place of the ranks, which
    differ as soon as there is a second front: it would take a dominated parent for the best.
    """

    def priority_unsafe(self, objectives: Costs) -> npt.NDArray[np.int64]:
        return ranks_of(objectives)
