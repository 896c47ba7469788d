from __future__ import annotations

import numpy as np

from compresskit.architecture import Dimensions
from compresskit.spaces import Ranking


def test_one_of_each_layer_comes_first_and_then_the_best_of_all() -> None:
    heads = np.array([[3.0, 1.0], [9.0, 4.0]])
    units = np.array([[8.0, 6.0, 5.0, 0.0], [4.0, 4.0, 1.0, 1.0]])
    ranking = Ranking.of_scores(heads, units, multiple=1)
    assert ranking.heads == (1, 0, 1, 0)
    assert ranking.units == (0, 1, 0, 0, 1, 1, 1, 0)


def test_units_are_ranked_by_the_sums_of_their_groups() -> None:
    units = np.array([[8.0, 1.0, 1.0, 0.0], [5.0, 5.0, 1.0, 1.0]])
    assert Ranking.of_scores(np.ones((2, 1)), units, multiple=2).units == (1, 0, 1, 0)


def test_equal_scores_go_by_layer() -> None:
    assert Ranking.of_scores(np.zeros((2, 2)), np.zeros((2, 2)), 1) == Ranking((0, 1, 0, 1), (0, 1, 0, 1))


def test_without_scores_layers_take_turns() -> None:
    assert Ranking.even(Dimensions(3, 2, 4, 8, 8), 4) == Ranking((0, 1, 2) * 2, (0, 1, 2) * 2)
