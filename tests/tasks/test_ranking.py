"""Ranking metrics: known values, and ties against all orders of the tied."""

from __future__ import annotations

from itertools import permutations
from math import log2
from typing import Any

import numpy as np
import pytest

from compresskit.tasks.ranking import ABSENT, RANKING, average_precision, ndcg, reciprocal_rank

SCORES = np.array([0.9, 0.8, 0.7, 0.6])


def test_known_values() -> None:
    relevance = np.array([0, 1, 0, 1])
    assert reciprocal_rank(SCORES, relevance) == 1 / 2
    assert average_precision(SCORES, relevance) == (1 / 2 + 2 / 4) / 2
    best = 1 + 1 / log2(3)
    assert ndcg(SCORES, relevance) == pytest.approx((1 / log2(3) + 1 / log2(5)) / best)


def test_gains_are_linear() -> None:
    assert ndcg(SCORES, np.array([1, 3, 0, 0])) == pytest.approx((1 + 3 / log2(3)) / (3 + 1 / log2(3)))


def test_a_tied_first_place_counts_half_of_each_order() -> None:
    """What pytrec_eval and ranx call 0.63 or 1.0, by the order of the input alone."""
    scores, relevance = np.array([1.0, 1.0, 0.0]), np.array([1, 0, 0])
    assert ndcg(scores, relevance) == pytest.approx((1 + 1 / log2(3)) / 2)
    assert reciprocal_rank(scores, relevance) == pytest.approx(3 / 4)


@pytest.mark.parametrize("name", RANKING)
@pytest.mark.parametrize("seed", range(12))
def test_ties_are_the_mean_over_all_orders(name: str, seed: int) -> None:
    """Brute force: the metric of each permutation, its documents told apart by place."""
    rng = np.random.default_rng(seed)
    scores, relevance = rng.integers(0, 3, 6).astype(float), rng.integers(0, 3, 6)
    relevance[seed % 6] = 1
    orders = []
    for order in permutations(range(6)):
        ranked = scores[list(order)]
        if (np.diff(ranked) <= 0).all():
            orders.append(RANKING[name](-np.arange(6.0), relevance[list(order)]))
    assert RANKING[name](scores, relevance) == pytest.approx(np.mean(orders), abs=1e-12)


@pytest.mark.parametrize("metric", [ndcg, reciprocal_rank])
def test_a_tie_may_span_the_cutoff(metric: Any) -> None:
    scores, relevance = np.array([2.0, 1.0, 1.0, 1.0, 0.0]), np.array([0, 1, 0, 2, 3])
    orders = [
        metric(-np.arange(5.0), relevance[[0, *order, 4]], cutoff=2) for order in permutations((1, 2, 3))
    ]
    assert metric(scores, relevance, cutoff=2) == pytest.approx(np.mean(orders))


def test_what_is_beyond_the_cutoff_does_not_count() -> None:
    scores, relevance = -np.arange(20.0), np.eye(20)[10]
    assert reciprocal_rank(scores, relevance) == 0
    assert ndcg(scores, relevance) == 0
    assert average_precision(scores, relevance) == pytest.approx(1 / 11)


@pytest.mark.parametrize("name", RANKING)
def test_queries_of_different_length_are_filled_up(name: str) -> None:
    scores = np.array([[0.3, 0.3, 0.1], [0.2, 0.5, ABSENT]])
    relevance = np.array([[0, 1, 2], [1, 0, 0]])
    single = [RANKING[name](scores[0], relevance[0]), RANKING[name](scores[1, :2], relevance[1, :2])]
    np.testing.assert_allclose(RANKING[name](scores, relevance), single)


@pytest.mark.parametrize("name", RANKING)
def test_without_a_relevant_document_there_is_no_value(name: str) -> None:
    assert np.isnan(RANKING[name](SCORES, np.zeros(4)))
