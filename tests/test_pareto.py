from __future__ import annotations

import numpy as np
import pytest

from compresskit.pareto import hypervolume, pareto_mask


def _dominated(costs: np.ndarray[tuple[int, int], np.dtype[np.float64]], i: int) -> bool:
    others = np.delete(costs, i, axis=0)
    return bool(((others <= costs[i]).all(axis=1) & (others < costs[i]).any(axis=1)).any())


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_mask_is_the_definition(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    costs = rng.integers(0, 6, size=(60, objectives)).astype(float)
    mask = pareto_mask(costs)
    for i in range(60):
        first = not (costs[:i] == costs[i]).all(axis=1).any()
        assert mask[i] == (first and not _dominated(costs, i))


def test_mask_of_nothing_and_of_unmeasured_rows() -> None:
    assert pareto_mask(np.empty((0, 2))).shape == (0,)
    assert pareto_mask([[np.nan, 0.0], [1.0, 1.0]]).tolist() == [False, True]


def test_hypervolume_by_hand() -> None:
    assert hypervolume([[1, 3], [2, 1]], (4, 4)) == pytest.approx(3 * 1 + 2 * 3 - 2 * 1)
    assert hypervolume([[0, 0, 0]], (1, 2, 3)) == pytest.approx(6)
    assert hypervolume([[1, 1, 0], [0, 0, 1]], (2, 2, 2)) == pytest.approx(2 + 4 - 1)
    assert hypervolume([[5, 0]], (4, 4)) == 0
    assert hypervolume(np.empty((0, 2)), (4, 4)) == 0


@pytest.mark.parametrize("objectives", [2, 3, 4])
def test_hypervolume_is_the_share_of_dominated_points(objectives: int) -> None:
    rng = np.random.default_rng(objectives)
    costs = rng.random((12, objectives))
    probes = rng.random((40_000, objectives))
    inside = np.array([(probe >= costs).all(axis=1).any() for probe in probes])
    share = inside.mean()
    assert hypervolume(costs, np.ones(objectives)) == pytest.approx(share, abs=0.012)


def test_hypervolume_never_falls_with_more_points() -> None:
    rng = np.random.default_rng(0)
    costs = rng.random((30, 2))
    volumes = [hypervolume(costs[:n], (1, 1)) for n in range(1, 31)]
    assert volumes == sorted(volumes)


def test_shapes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(ValueError, match="reference"):
        hypervolume([[1, 2]], (1, 2, 3))
    with pytest.raises(ValueError, match="permitted"):
        pareto_mask([1.0, 2.0])
