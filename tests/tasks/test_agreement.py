from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from compresskit.errors import DataError
from compresskit.tasks.agreement import LEAST, METRICS, agreement


def vectors(seed: int, rows: int = 40, width: int = 6) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((rows, width))


def test_ranks_are_spearmans_of_the_others() -> None:
    found, wanted = vectors(0), vectors(0) + 0.5 * vectors(1)
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (found, wanted))
    by_hand = [
        spearmanr(np.delete(ours @ ours[row], row), np.delete(theirs @ theirs[row], row)).statistic
        for row in range(len(found))
    ]
    np.testing.assert_allclose(agreement("rank_agreement", found, wanted), by_hand, atol=1e-9)


def test_neighbours_are_a_share_of_ten() -> None:
    found, wanted = vectors(0), vectors(2)
    ours, theirs = (each / np.linalg.norm(each, axis=1, keepdims=True) for each in (found, wanted))
    shares = []
    for row in range(len(found)):
        nearest = []
        for each in (ours, theirs):
            cosines = each @ each[row]
            cosines[row] = -2
            nearest.append(set(np.argsort(-cosines)[:10]))
        shares.append(len(nearest[0] & nearest[1]) / 10)
    np.testing.assert_allclose(agreement("neighbours", found, wanted), shares)


@pytest.mark.parametrize("name", METRICS)
def test_lengths_do_not_matter(name: str) -> None:
    found = vectors(0)
    np.testing.assert_allclose(agreement(name, 3 * found, found), 1, atol=1e-9)


def test_widths_may_differ_but_for_cosine() -> None:
    wide = vectors(0, width=6)
    assert agreement("rank_agreement", wide[:, :4], wide).mean() > 0.4
    with pytest.raises(DataError, match="4 and 6"):
        agreement("cosine", wide[:, :4], wide)


def test_many_texts_are_compared_with_some() -> None:
    found = vectors(0, rows=1200)
    assert agreement("rank_agreement", found, found).shape == (1200,)
    np.testing.assert_allclose(agreement("rank_agreement", found, found), 1)


def test_vectors_that_are_not_finite_are_refused() -> None:
    with pytest.raises(DataError, match="not finite"):
        agreement("cosine", np.full((3, 2), np.nan), np.ones((3, 2)))


@pytest.mark.parametrize("name", METRICS)
def test_the_least_number_of_texts_tells_models_apart(name: str) -> None:
    found, wanted = vectors(0, LEAST[name]), vectors(3, LEAST[name])
    assert agreement(name, found, wanted).mean() < 1
    if name == "neighbours":
        np.testing.assert_array_equal(agreement(name, found[1:], wanted[1:]), 1)
