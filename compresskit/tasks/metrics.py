"""Metrics in numpy; for each, more is better."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from compresskit.errors import ConfigurationError, DataError, one_of

Array = npt.NDArray[Any]
Metric = Callable[[Array, Array], float]


def metric(name: str, num_classes: int | None = None) -> Metric:
    """The function `(predictions, labels) -> float` of that name.

    `predictions`: logits (rows, labels), or (rows,) or (rows, 1) of values: class ids in classification, of
    `num_classes` or as many as they show, numbers in regression. `labels`: (rows,). Fractions, not percent.
    The function raises DataError for shapes that do not fit, no rows, and values that are not finite.
    Raises ConfigurationError when the name is not known.
    """
    if name not in _METRICS:
        raise ConfigurationError(one_of("metric", name, _METRICS))
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
            return _by_class(name, _classes(predictions), labels, classes)
        if predictions.ndim > 1:
            if predictions.shape[1] != 1:
                raise DataError(
                    f"{name} needs one value a row; it got predictions of shape {predictions.shape}."
                )
            predictions = predictions[:, 0]
        return float(_METRICS[name](predictions, labels))

    return checked


def metric_for(kind: str, dataset: str = "", name: str | None = None) -> str:
    """Name of the metric to report: `name` if given, else GLUE's for the data set and kind of task.

    CoLA has Matthews correlation; other classification accuracy; regression the mean of Pearson's and
    Spearman's. Raises ConfigurationError for a metric that is unknown or not of this kind.
    """
    permitted = CLASSIFICATION if kind == "classification" else REGRESSION
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
            return _by_class(name, np.full(len(rows), value), rows, int(values.max()) + 1)

        likely = values[np.argsort(-counts, kind="stable")]
        return score(max(likely, key=lambda value: score(value, train_labels)), np.asarray(labels))
    return metric(name)(np.full(len(labels), train_labels.mean()), labels)


def _classes(predictions: Array) -> Array:
    if predictions.ndim == 1:
        return predictions
    return predictions.argmax(-1) if predictions.shape[1] > 1 else predictions[:, 0]


def _num_classes(predictions: Array, labels: Array) -> int:
    """Columns of logits; of class ids what the values show."""
    if predictions.ndim > 1 and predictions.shape[1] > 1:
        return int(predictions.shape[1])
    return int(max(predictions.max(), labels.max())) + 1


def _by_class(name: str, predictions: Array, labels: Array, num_classes: int) -> float:
    """A classification metric of class ids; what F1 means is the task's to say, not the rows'."""
    compute = _macro_f1 if name == "f1" and num_classes > 2 else _METRICS[name]
    return float(compute(predictions, labels))


def _accuracy(predictions: Array, labels: Array) -> float:
    return float((predictions == labels).mean())


def _f1(predictions: Array, labels: Array) -> float:
    """Of class 1, of two; 0/0 counts as 0."""
    return _f1_of(1, predictions, labels)


def _macro_f1(predictions: Array, labels: Array) -> float:
    """The mean over the classes of `labels`: over the same ones whatever is predicted."""
    return float(np.mean([_f1_of(c, predictions, labels) for c in np.unique(labels)]))


def _f1_of(wanted: int, predictions: Array, labels: Array) -> float:
    guessed, true = predictions == wanted, labels == wanted
    return float(2 * (guessed & true).sum() / max(guessed.sum() + true.sum(), 1))


def _matthews_correlation(predictions: Array, labels: Array) -> float:
    """Matthews correlation, for any number of classes (Gorodkin 2004, R_K); 0 for a constant."""
    classes = np.union1d(predictions, labels)
    guessed = (predictions[:, None] == classes).astype(np.float64)
    true = (labels[:, None] == classes).astype(np.float64)
    guessed -= guessed.mean(0)
    true -= true.mean(0)
    scale = np.sqrt((guessed**2).sum() * (true**2).sum())
    return float((guessed * true).sum() / scale) if scale else 0.0


def _pearson(predictions: Array, labels: Array) -> float:
    """Pearson correlation; a constant correlates with nothing: 0."""
    x, y = predictions.astype(np.float64), labels.astype(np.float64)
    if not np.ptp(x) or not np.ptp(y):
        return 0.0
    x, y = x - x.mean(), y - y.mean()
    return float((x @ y) / np.sqrt((x @ x) * (y @ y)))


def _spearman(predictions: Array, labels: Array) -> float:
    return _pearson(_ranks(predictions), _ranks(labels))


def _ranks(values: Array) -> Array:
    """Ranks from 1, equal values sharing their mean; a device that scores engines has no SciPy."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[inverse]


def _pearson_spearman(predictions: Array, labels: Array) -> float:
    return (_pearson(predictions, labels) + _spearman(predictions, labels)) / 2


_METRICS: dict[str, Metric] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews_correlation": _matthews_correlation,
    "pearson": _pearson,
    "spearman": _spearman,
    "pearson_spearman": _pearson_spearman,
}
CLASSIFICATION = ("accuracy", "f1", "matthews_correlation")
REGRESSION = ("pearson", "spearman", "pearson_spearman")
