"""The metric to be expected on other rows: labels, and fidelity to the dense model's answers."""

from __future__ import annotations

import numpy as np
import pytest

from compresskit.tasks.expected import answers_of, expected_metric
from compresskit.tasks.metrics import metric

LABELS = np.asarray([0, 0, 1, 1, 2, 2, 0, 1])
DENSE = np.asarray([0, 0, 1, 1, 2, 0, 1, 1])  # 6 of 8 right


def logits(classes: list[int]) -> np.ndarray:
    return np.eye(3, dtype=np.float32)[classes]


def test_the_dense_model_is_expected_to_have_its_own_metric() -> None:
    assert expected_metric("accuracy", logits(DENSE.tolist()), LABELS, DENSE) == pytest.approx(0.75)


def test_of_two_as_good_by_labels_the_one_true_to_the_dense_model_leads() -> None:
    true = [0, 0, 1, 1, 0, 0, 1, 1]  # wrong in one row that the dense model has right
    lucky = [0, 0, 1, 0, 0, 0, 0, 1]  # in two, and right in one that it has wrong
    assert metric("accuracy")(logits(true), LABELS) == metric("accuracy")(logits(lucky), LABELS) == 0.625
    assert expected_metric("accuracy", logits(true), LABELS, DENSE) == pytest.approx(
        (0.625 + 0.75 * 7 / 8) / 2
    )
    assert expected_metric("accuracy", logits(lucky), LABELS, DENSE) == pytest.approx(
        (0.625 + 0.75 * 5 / 8) / 2
    )


def test_labels_tell_what_the_dense_model_cannot() -> None:
    right = expected_metric("accuracy", logits(LABELS.tolist()), LABELS, DENSE)
    assert right == pytest.approx((1 + 0.75 * 0.75) / 2)
    assert right > 0.75


def test_values_are_compared_in_regression() -> None:
    labels = np.asarray([0.0, 1.0, 2.0, 3.0])
    values = np.asarray([[0.1], [0.9], [2.2], [2.8]])
    dense = answers_of("pearson", np.asarray([[0.0], [1.5], [2.0], [2.5]]))
    found = expected_metric("pearson", values, labels, dense)
    measure = metric("pearson")
    assert dense.shape == (4,)
    assert found == pytest.approx(
        (measure(values, labels) + measure(dense, labels) * measure(values, dense)) / 2
    )


def test_a_dense_model_that_is_worse_than_chance_is_no_example() -> None:
    labels = np.asarray([0.0, 1.0, 2.0, 3.0])
    values = labels[:, None]
    assert expected_metric("pearson", values, labels, -labels) == pytest.approx(0.5)
    assert expected_metric("pearson", -values, labels, -labels) == pytest.approx(-0.5)
