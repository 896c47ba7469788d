"""Rankings in rows of any order."""

from __future__ import annotations

import numpy as np
import pytest

from compresskit.errors import DataError
from compresskit.tasks.ranked import TO_DENSE, Ranked, varied
from compresskit.tasks.ranking import MAP, MRR, NDCG, RANKING

# Three queries, mixed: 7 has one relevant passage of three, 9 two grades, 8 no relevant one.
LABELS = np.array([[7, 0], [9, 0.5], [7, 1], [8, 0], [9, 1], [7, 0], [8, 0]], dtype=np.float64)[
    :, [0, 1, 1, 1]
]
LABELS[:, 3] = LABELS[:, 2] > 0
SAID = np.array([[7, 2.0], [9, 3.0], [7, 1.0], [8, 5.0], [9, 1.0], [7, -4.0], [8, 6.0]])


@pytest.mark.parametrize("name", RANKING)
def test_the_metric_is_the_mean_over_queries_that_are_scored(name: str) -> None:
    metric, kind = RANKING[name], Ranked((), name)
    first = metric(np.array([2.0, 1.0, -4.0]), np.array([0, 1, 0]))
    second = metric(np.array([3.0, 1.0]), np.array([0.5, 1] if name == NDCG else [1, 1]))
    assert kind.score(SAID, LABELS) == pytest.approx((first + second) / 2)
    order = np.random.default_rng(0).permutation(len(SAID))
    assert kind.score(SAID[order], LABELS[order]) == pytest.approx((first + second) / 2)


def test_queries_whose_passages_are_alike_are_not_scored() -> None:
    scored, member = varied(LABELS)
    assert scored.tolist() == [True, False, True]
    assert member.tolist() == [0, 2, 0, 1, 2, 0, 1]
    alone = np.array([[3, 1, 1, 1], [4, 0, 0, 0], [4, 1, 1, 1]], dtype=np.float64)
    assert varied(alone)[0].tolist() == [False, True]
    assert Ranked((), MAP).score_answers(alone, alone) == 1


def test_a_sample_of_queries_has_their_mean() -> None:
    kind = Ranked((), MRR)
    answers = kind.answers(SAID)
    twice = np.array([[2.0 if query == 7 else 1.0 for query in LABELS[:, 0]]])
    assert kind.weighted(answers, LABELS, twice)[0] == pytest.approx((2 * 0.5 + 1) / 3)
    assert kind.weighted(answers, LABELS, (LABELS[None, :, 0] == 8).astype(float))[0] == 0


def test_the_prior_is_the_mean_over_all_orders() -> None:
    pair = np.array([[1, 1, 1, 1], [1, 0, 0, 0]], dtype=np.float64)
    assert Ranked((), MRR).prior(pair, pair) == pytest.approx(0.75)


def test_the_dense_models_first_passage_is_what_is_to_be_found() -> None:
    dense = Ranked((), TO_DENSE + MRR).answers(SAID)
    assert dense[:, 3].tolist() == [1, 1, 0, 0, 0, 0, 1]
    assert dense[:, 2].min() == 0 and dense[dense[:, 3] == 1, 2].tolist() == [1, 1, 1]
    other = SAID * [1, -1]
    for name in RANKING:
        kind = Ranked((), TO_DENSE + name)
        assert kind.score(SAID, dense) == pytest.approx(1)
        assert kind.score(other, dense) < kind.prior(dense, dense) < 1
    assert Ranked((), TO_DENSE + MRR).score(other, dense) == pytest.approx((1 / 3 + 1 / 2 + 1 / 2) / 3)


def test_a_dense_model_that_is_never_sure_is_followed_all_the_same() -> None:
    """Gains that are all but equal would call every order right."""
    said = np.array([[1, 0.01], [1, 0.02], [1, 0.03], [1, 0.04]])
    kind = Ranked((), NDCG)
    dense = kind.answers(said)
    np.testing.assert_allclose(dense[:, 2], [0, 1 / 3, 2 / 3, 1], atol=1e-3)
    assert kind.score(said * [1, -1], dense) < 0.7


def test_logits_far_apart_stay_in_order() -> None:
    kind = Ranked((), NDCG)
    said = np.array([[1, 50.0], [1, 60.0], [1, -900.0]])
    assert kind.score_answers(kind.answers(said), kind.answers(said)) == 1
    labels = np.array([[1, 0, 0, 0], [1, 1, 1, 1], [1, 0, 0, 0]], dtype=np.float64)
    assert kind.score(said, labels) == 1
    with pytest.raises(DataError, match="not finite"):
        kind.answers(np.array([[1, np.nan]]))
