from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn import metrics as reference

from compresskit.errors import ConfigurationError, DataError
from compresskit.tasks.metrics import answers_of, metric, metric_for, prior

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("classes", [2, 5])
def test_classification_equals_scikit_learn(classes: int) -> None:
    labels = RNG.integers(0, classes, size=200)
    logits = RNG.normal(size=(200, classes)) + 1.5 * np.eye(classes)[labels]
    guessed = logits.argmax(-1)
    average = "binary" if classes == 2 else "macro"
    assert metric("accuracy")(logits, labels) == pytest.approx(reference.accuracy_score(labels, guessed))
    assert metric("f1")(logits, labels) == pytest.approx(reference.f1_score(labels, guessed, average=average))
    wanted = reference.matthews_corrcoef(labels, guessed)
    assert metric("matthews_correlation")(logits, labels) == pytest.approx(wanted)
    assert metric("accuracy")(guessed, labels) == metric("accuracy")(logits, labels)


def test_regression_equals_scipy() -> None:
    labels = RNG.integers(0, 6, size=300).astype(np.float32)
    values = (labels + RNG.normal(size=300)).astype(np.float32)[:, None]
    pearson = stats.pearsonr(values[:, 0], labels).statistic
    spearman = stats.spearmanr(values[:, 0], labels).statistic
    assert metric("pearson")(values, labels) == pytest.approx(pearson, abs=1e-5)
    assert metric("spearman")(values, labels) == pytest.approx(spearman, abs=1e-9)
    assert metric("pearson_spearman")(values, labels) == pytest.approx((pearson + spearman) / 2, abs=1e-5)


def test_a_constant_correlates_with_nothing() -> None:
    labels = np.asarray([0, 1, 1])
    assert metric("matthews_correlation")(np.zeros(3), labels) == 0.0
    assert metric("pearson_spearman")(np.ones((3, 1)), labels.astype(float)) == 0.0
    assert metric("f1")(np.zeros(3), labels) == 0.0


def test_prior() -> None:
    assert prior("accuracy", np.asarray([1, 1, 0]), np.asarray([1, 0, 0, 0])) == 0.25
    assert prior("matthews_correlation", np.asarray([0, 0, 1]), np.asarray([1, 0, 0])) == 0.0
    # To answer 1 every time has every second hit, to answer 0 none of those that count.
    assert prior("f1", np.asarray([0, 0, 0, 1]), np.asarray([0, 0, 1])) == pytest.approx(0.5)
    assert prior("pearson", np.asarray([1.0, 2.0]), np.asarray([3.0, 4.0])) == 0.0


def test_the_metric_of_a_task() -> None:
    assert metric_for("classification") == "accuracy"
    assert metric_for("classification", "owner/glue:cola") == "matthews_correlation"
    assert metric_for("classification", "CoLA") == "matthews_correlation"
    assert metric_for("classification", "chocolate") == "accuracy"
    assert metric_for("regression", "stsb") == "pearson_spearman"
    assert metric_for("classification", "cola", "f1") == "f1"


def test_errors() -> None:
    with pytest.raises(ConfigurationError, match="metric 'bleu' is not known; permitted: accuracy, f1"):
        metric("bleu")
    with pytest.raises(ConfigurationError, match="regression metric 'f1'.*permitted: pearson"):
        metric_for("regression", name="f1")
    with pytest.raises(DataError, match=r"shape \(3,\) and labels of shape \(2,\)"):
        metric("accuracy")(np.zeros(3), np.zeros(2))
    with pytest.raises(DataError, match="one row or more"):
        metric("accuracy")(np.zeros(0), np.zeros(0))
    with pytest.raises(DataError, match="not finite"):
        metric("accuracy")(np.asarray([[np.nan, 0.0]]), np.asarray([0]))
    with pytest.raises(DataError, match="one value a row"):
        metric("pearson")(np.zeros((2, 2)), np.zeros(2))


def test_f1_means_the_same_whatever_is_predicted() -> None:
    labels = np.asarray([0, 0, 0, 1, 1, 1])
    right = np.eye(3)[labels]
    once = np.eye(3)[[0, 0, 0, 1, 1, 2]]
    assert metric("f1")(right, labels) == 1.0
    # Classes 0 and 1: 1 and 2 * 2 / (2 + 3). The third class of the task does not occur in these rows.
    assert metric("f1")(once, labels) == pytest.approx((1 + 0.8) / 2)
    # Of the same rows' first two classes alone it is that of class 1.
    assert metric("f1")(np.eye(2)[[0, 0, 0, 1, 1, 0]], labels) == pytest.approx(0.8)
    # Always 0 or always 1 has 2 * 3 / 9 in one of the classes seen, 0 in the other.
    assert prior("f1", np.asarray([0, 1, 2]), labels) == pytest.approx(1 / 3)


def test_answers_are_as_labels_are() -> None:
    logits = np.asarray([[0.1, 2.0, 0.0], [3.0, 0.0, 1.0]])
    assert answers_of("accuracy", logits).tolist() == [1, 0]
    assert metric("accuracy")(logits, answers_of("accuracy", logits)) == 1
    values = np.asarray([[0.5], [2.5], [1.0]])
    assert answers_of("pearson_spearman", values).tolist() == [0.5, 2.5, 1.0]
    assert metric("pearson_spearman")(values, answers_of("pearson_spearman", values)) == pytest.approx(1)
