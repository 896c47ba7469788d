"""Intervals of metrics: what they hold, and what they do not claim."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from compresskit.tasks.base import TaskKind
from compresskit.tasks.classification import Classification
from compresskit.tasks.intervals import intervals, row_groups
from compresskit.tasks.metrics import CLASSIFICATION, REGRESSION, metric
from compresskit.tasks.regression import Regression
from compresskit.tasks.weighted import weighted_metric

Ids = npt.NDArray[np.int64]


def kind_of(metric_name: str) -> TaskKind:
    if metric_name in REGRESSION:
        return Regression((), metric_name)
    return Classification(("no", "yes"), metric_name)


@pytest.mark.parametrize("classes", [2, 5])
@pytest.mark.parametrize("name", [*CLASSIFICATION, *REGRESSION])
def test_a_sample_has_the_metric_of_its_rows(name: str, classes: int) -> None:
    rng = np.random.default_rng(0)
    labels: npt.NDArray[Any]
    answers: npt.NDArray[Any]
    if name in CLASSIFICATION:
        labels, answers = rng.integers(0, classes, 40), rng.integers(0, classes, 40)
    else:
        labels, answers = rng.integers(0, 6, 40) / 2, rng.normal(size=40).round(1)
    chosen = rng.integers(0, 40, (7, 40))
    counts = np.array([np.bincount(rows, minlength=40) for rows in chosen], dtype=np.float64)
    whole = np.eye(classes)  # logits tell a metric how many classes there are
    wanted = [
        metric(name)(whole[answers[rows]] if name in CLASSIFICATION else answers[rows], labels[rows])
        for rows in chosen
    ]
    found = weighted_metric(name, answers, labels, counts, classes)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-12)


@pytest.mark.parametrize("name", [*CLASSIFICATION, *REGRESSION])
def test_what_never_changes_correlates_with_nothing(name: str) -> None:
    labels, counts = np.arange(6) % 2, np.ones((1, 6))
    found = weighted_metric(name, np.zeros(6, dtype=np.int64), labels, counts, 2)
    assert found.tolist() == [0.5 if name == "accuracy" else 0.0]


def flip(answers: Ids, share: float, rng: np.random.Generator) -> Ids:
    return np.where(rng.random(len(answers)) < share, 1 - answers, answers)


def pair(rng: np.random.Generator, rows: int) -> tuple[Ids, Ids, Ids]:
    """Labels, and what two models say that are right on 90 and 87 % of all texts."""
    labels = (rng.random(rows) < 0.4).astype(np.int64)
    common = flip(labels, 0.06, rng)
    return labels, flip(common, 0.0455, rng), flip(common, 0.0795, rng)


@pytest.mark.parametrize("name", ["accuracy", "f1", "matthews_correlation"])
@pytest.mark.parametrize("rows", [60, 250])
def test_intervals_hold_the_truth_in_19_of_20_samples(name: str, rows: int) -> None:
    labels, whole, small = pair(np.random.default_rng(1), 400_000)
    count = metric(name)
    truth, lost = count(small, labels), count(small, labels) - count(whole, labels)
    held = np.zeros(2)
    for seed in range(200):
        true, dense, point = pair(np.random.default_rng(seed), rows)
        (known,) = intervals(kind_of(name), true, [point], dense=dense, seed=seed)
        assert known.difference_ci is not None
        held += [
            low <= value <= high
            for value, (low, high) in ((truth, known.metric_ci), (lost, known.difference_ci))
        ]
    assert (held / 200 >= 0.90).all() and (held / 200 <= 0.99).all(), held / 200


@pytest.mark.parametrize("name", ["pearson", "spearman"])
def test_intervals_of_correlations_hold_the_truth(name: str) -> None:
    def sample(rng: np.random.Generator, rows: int) -> tuple[npt.NDArray[np.float64], ...]:
        labels = rng.normal(size=rows)
        dense = labels + 0.5 * rng.normal(size=rows)
        return labels, dense, dense + 0.3 * rng.normal(size=rows)

    labels, whole, small = sample(np.random.default_rng(1), 400_000)
    truth = metric(name)(small, labels)
    lost = truth - metric(name)(whole, labels)
    held = np.zeros(2)
    for seed in range(200):
        true, dense, point = sample(np.random.default_rng(seed), 150)
        (known,) = intervals(kind_of(name), true, [point], dense=dense, seed=seed)
        assert known.difference_ci is not None
        held += [
            low <= value <= high
            for value, (low, high) in ((truth, known.metric_ci), (lost, known.difference_ci))
        ]
    assert (held / 200 >= 0.90).all() and (held / 200 <= 0.99).all(), held / 200


def test_rows_of_one_group_count_once() -> None:
    """Four copies of 60 texts tell as much as the 60."""
    truth, held = 0.9, np.zeros(2)
    for seed in range(200):
        rng = np.random.default_rng(seed)
        right = rng.random(60) < truth
        labels = np.repeat(rng.integers(0, 2, 60), 4)
        answers = np.where(np.repeat(right, 4), labels, 1 - labels)
        groups = np.repeat(np.arange(60), 4)
        for place, known in enumerate((groups, None)):
            ((low, high),) = [
                each.metric_ci for each in intervals(kind_of("accuracy"), labels, [answers], groups=known)
            ]
            held[place] += low <= truth <= high
    assert 0.90 <= held[0] / 200 <= 0.99
    assert held[1] / 200 < 0.85, held / 200


@pytest.mark.parametrize("rows", [60, 872])
def test_no_difference_on_few_rows_is_no_proof_of_none(rows: int) -> None:
    labels = np.arange(rows) % 2
    answers = np.where(np.arange(rows) < rows // 10, 1 - labels, labels)
    (known,) = intervals(kind_of("accuracy"), labels, [answers], dense=answers)
    low, high = known.difference_ci or (0.0, 0.0)
    assert -4.1 / rows < low <= -2 / rows and 2 / rows <= high < 4.1 / rows
    (perfect,) = intervals(kind_of("accuracy"), labels, [labels])
    assert perfect.metric_ci[1] == 1
    assert 1 - 5 / rows < perfect.metric_ci[0] <= 1 - 2 / rows


def test_the_same_rows_are_drawn_for_both() -> None:
    rng = np.random.default_rng(0)
    labels, dense, _ = pair(rng, 500)
    point = flip(dense, 0.02, rng)
    (known,) = intervals(kind_of("accuracy"), labels, [point], dense=dense)
    paired = np.subtract(*(known.difference_ci or (0, 0))[::-1])
    assert paired < 0.6 * np.subtract(*known.metric_ci[::-1])
    again = intervals(kind_of("accuracy"), labels, [dense, point], dense=dense)
    assert again[1] == known  # whoever stands beside it


@pytest.mark.parametrize("name", [*CLASSIFICATION, *REGRESSION])
def test_very_few_rows_and_one_class_give_intervals_all_the_same(name: str) -> None:
    for rows in (1, 2, 5):
        labels, answers = np.zeros(rows, dtype=np.int64), np.arange(rows) % 2
        (known,) = intervals(kind_of(name), labels, [answers], dense=labels)
        assert np.isfinite([*known.metric_ci, *(known.difference_ci or ())]).all()


def test_rows_that_share_a_text_are_one_group() -> None:
    texts = [("a fine day",), ("it was a fine day indeed",), ("rain",), ("Rain",), ("snow all week",)]
    groups = row_groups(texts)
    assert groups[0] == groups[1] and groups[2] == groups[3]
    assert len(set(groups.tolist())) == 3
