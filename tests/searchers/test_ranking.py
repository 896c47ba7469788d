from __future__ import annotations

import numpy as np
import pytest

from compresskit.searchers.ranking import NonDominatedRank, ranks_of


def test_ranks_are_of_the_rows_and_not_positions() -> None:
    # Each row is dominated by all that come after it.
    assert ranks_of([(3, 3), (2, 2), (1, 1)]).tolist() == [2, 1, 0]
    assert NonDominatedRank()(np.array([(1.0, 1.0), (2.0, 2.0), (0.0, 0.0)])).tolist() == [1, 2, 0]


@pytest.mark.parametrize("seed", range(10))
def test_dominated_rows_come_after_those_that_dominate_them(seed: int) -> None:
    costs = np.random.default_rng(seed).random((15, 2))
    ranks = ranks_of(costs)
    assert sorted(ranks) == list(range(15))
    for i in range(15):
        for j in range(15):
            if (costs[i] <= costs[j]).all() and i != j:
                assert ranks[i] < ranks[j]


def test_one_front_is_ordered_from_the_least_first_cost_by_distance() -> None:
    assert ranks_of([(0.5, 0.5), (0.0, 1.0), (0.45, 0.55), (1.0, 0.0)]).tolist() == [2, 0, 3, 1]


def test_equal_rows_are_ranked_too() -> None:
    assert sorted(ranks_of([(1, 1)] * 3)) == [0, 1, 2]
    assert ranks_of(np.empty((0, 2))).tolist() == []
