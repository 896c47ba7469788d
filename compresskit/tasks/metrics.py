"""Metrics in numpy; for each, more is better."""

from __future__ import annotations

from collections.abc import Callable
from math import sqrt
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import ConfigurationError, DataError, one_of
from compresskit.tasks.weighted import METRICS, metric_of

Array = npt.NDArray[Any]
Metric = Callable[[Array, Array], float]

MIDDLE = 0.5
"""The probability from which a choice of two is taken where nothing is known of it."""


def metric(name: str, num_classes: int | None = None) -> Metric:
    """The function `(predictions, labels) -> float` of that name.

    `predictions`: logits (rows, labels), or (rows,) or (rows, 1) of values: class ids in classification, of
    `num_classes` or as many as they show, numbers in regression. `labels`: (rows,). Fractions, not percent.
    The function raises DataError for shapes that do not fit, no rows, and values that are not finite.
    Raises ConfigurationError when the name is not known.
    """
    if name not in METRICS:
        raise ConfigurationError(one_of("metric", name, METRICS))
    by_class = name in CLASSIFICATION

    def checked(predictions: Array, labels: Array) -> float:
        predictions, labels = np.asarray(predictions), np.asarray(labels)
        if len(predictions) != len(labels) or labels.ndim != 1 or not len(labels):
            raise DataError(
                f"{name} needs as many predictions as labels and one row or more; it got predictions of "
                f"shape {predictions.shape} and labels of shape {labels.shape}."
            )
        if not np.isfinite(predictions).all() or not np.isfinite(labels).all():
            raise DataError(
                f"{name} cannot be computed: predictions or labels hold values that are not finite. If "
                "training diverged, give a lower --learning-rate."
            )
        if by_class:
            classes = num_classes or _num_classes(predictions, labels)
            return metric_of(name, _classes(predictions), labels, classes)
        if predictions.ndim > 1:
            if predictions.shape[1] != 1:
                raise DataError(
                    f"{name} needs one value a row; it got predictions of shape {predictions.shape}."
                )
            predictions = predictions[:, 0]
        return metric_of(name, predictions, labels)

    return checked


def metric_for(kind: str, dataset: str = "", name: str | None = None) -> str:
    """Name of the metric to report: `name` if given, else GLUE's for the data set and kind of task.

    CoLA has Matthews correlation; other classification accuracy; regression the mean of Pearson's and
    Spearman's. Raises ConfigurationError for a metric that is unknown or not of this kind.
    """
    permitted = REGRESSION if kind == "regression" else CLASSIFICATION
    if name is not None:
        if name not in permitted:
            raise ConfigurationError(one_of(f"{kind} metric", name, permitted))
        return name
    if kind == "regression":
        return "pearson_spearman"
    last = dataset.replace(":", "/").rstrip("/").rpartition("/")[2].lower()
    return "matthews_correlation" if last == "cola" else "accuracy"


def answers_of(name: str, logits: Array) -> Array:
    """What a model says, as labels are: (rows,) class ids, or values, of its logits (rows, labels).

    With the dense model's answers for labels, a metric tells how true a compressed model is to it: its
    fidelity (of accuracy: the agreement of Stanton et al., Does Knowledge Distillation Really Work?, 2021).
    """
    return _classes(logits) if name in CLASSIFICATION else logits[:, 0]


def prior(name: str, train_labels: Array, labels: Array) -> float:
    """What a model that never reads its text would score: the class that is best on training, or its mean.

    That class is the most frequent one unless the metric counts another one's hits, as F1 may. Labels of
    classification are class ids from 0.
    """
    train_labels = np.asarray(train_labels)
    if name in CLASSIFICATION:
        values, counts = np.unique(train_labels, return_counts=True)

        def score(value: int, rows: Array) -> float:
            return metric_of(name, np.full(len(rows), value), rows, int(values.max()) + 1)

        likely = values[np.argsort(-counts, kind="stable")]
        return score(max(likely, key=lambda value: score(value, train_labels)), np.asarray(labels))
    return metric(name)(np.full(len(labels), train_labels.mean()), labels)


def accuracy_of_rows(rows: int) -> str:
    """What one of so many rows is worth, and the half-width of a 95 % interval where it is widest."""
    row, width = 100 / rows, 100 * 1.96 * 0.5 / sqrt(rows)
    return f"one row is {row:.1f} points, and the 95 % interval of accuracy is up to +-{width:.0f} points"


def _classes(predictions: Array) -> Array:
    if predictions.ndim == 1:
        return predictions
    return predictions.argmax(-1) if predictions.shape[1] > 1 else predictions[:, 0]


def _num_classes(predictions: Array, labels: Array) -> int:
    """Columns of logits; of class ids what the values show."""
    if predictions.ndim > 1 and predictions.shape[1] > 1:
        return int(predictions.shape[1])
    return int(max(predictions.max(), labels.max())) + 1


CLASSIFICATION = ("accuracy", "f1", "matthews_correlation")
REGRESSION = tuple(name for name in METRICS if name not in CLASSIFICATION)


def best_threshold(scores: Array, truth: Array) -> float:
    """The probability from which F1 is highest, between two that occur; `MIDDLE` where none is true.

    `scores` and `truth`: (rows,) probabilities, and 0 or 1.
    """
    order = np.argsort(-scores, kind="stable")
    ranked, hits = np.append(scores[order], 0.0), np.cumsum(truth[order])
    f1 = 2 * hits / (np.arange(1, len(order) + 1) + truth.sum())
    best = int(np.where(ranked[:-1] > ranked[1:], f1, 0.0).argmax())
    return float(ranked[best : best + 2].mean()) if truth.any() else MIDDLE
