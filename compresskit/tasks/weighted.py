"""Metrics of rows that count more than once, for many samples of rows at a time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Values = npt.NDArray[np.generic]


def weighted_metric(name: str, answers: Values, labels: Values, counts: Array, num_classes: int) -> Array:
    """(samples,) metric of each sample of the rows.

    `answers`, `labels`: (rows,) class ids, or values. `counts`: (samples, rows) how often each sample holds
    a row. Equal to the metric of the rows written out that often.
    """
    compute = _macro_f1 if name == "f1" and num_classes > 2 else METRICS[name]
    return compute(answers, labels, counts)


def metric_of(name: str, answers: Values, labels: Values, num_classes: int = 0) -> float:
    """The metric of rows that count once each."""
    return float(weighted_metric(name, answers, labels, np.ones((1, len(labels))), num_classes)[0])


def _accuracy(answers: Values, labels: Values, counts: Array) -> Array:
    return share(counts @ (answers == labels).astype(np.float64), counts.sum(axis=1))


def _f1(answers: Values, labels: Values, counts: Array) -> Array:
    """Of class 1, of two; 0/0 counts as 0."""
    guessed, true = (answers == 1).astype(np.float64), (labels == 1).astype(np.float64)
    return share(2 * (counts @ (guessed * true)), counts @ (guessed + true))


def _macro_f1(answers: Values, labels: Values, counts: Array) -> Array:
    """The mean over the classes that a sample has labels of: over the same ones whatever is predicted."""
    hits, guessed, true = _by_class(answers, labels, counts)
    scores = share(2 * hits, guessed + true)
    return share((scores * (true > 0)).sum(axis=1), (true > 0).sum(axis=1))


def _matthews_correlation(answers: Values, labels: Values, counts: Array) -> Array:
    """For any number of classes (Gorodkin 2004, R_K); 0 for a constant."""
    hits, guessed, true = _by_class(answers, labels, counts)
    total = counts.sum(axis=1)
    shared = hits.sum(axis=1) * total - (guessed * true).sum(axis=1)
    spread = (total**2 - (guessed**2).sum(axis=1)) * (total**2 - (true**2).sum(axis=1))
    return share(shared, np.sqrt(spread))


def _pearson(answers: Values, labels: Values, counts: Array) -> Array:
    x, y = (_centred(values.astype(np.float64)) for values in (answers, labels))
    total = counts.sum(axis=1)
    mean_x, mean_y = counts @ x / total, counts @ y / total
    return _correlation(
        counts @ (x * y) / total - mean_x * mean_y,
        counts @ (x * x) / total - mean_x**2,
        counts @ (y * y) / total - mean_y**2,
    )


def _spearman(answers: Values, labels: Values, counts: Array) -> Array:
    x, y = _ranks(answers, counts), _ranks(labels, counts)
    total = counts.sum(axis=1)
    mean = (total + 1) / 2
    x -= mean[:, None]
    y -= mean[:, None]
    shared = np.einsum("ij,ij,ij->i", counts, x, y)
    return _correlation(
        shared / total,
        np.einsum("ij,ij,ij->i", counts, x, x) / total,
        np.einsum("ij,ij,ij->i", counts, y, y) / total,
    )


def _pearson_spearman(answers: Values, labels: Values, counts: Array) -> Array:
    return (_pearson(answers, labels, counts) + _spearman(answers, labels, counts)) / 2


def _centred(values: Array) -> Array:
    """Exactly 0 where all values are equal, which their mean may not be."""
    shifted = values - values[0]
    centred: Array = shifted - shifted.mean()
    return centred


def _by_class(answers: Values, labels: Values, counts: Array) -> tuple[Array, Array, Array]:
    """(samples, classes) rows of each class: predicted correctly, predicted, true."""
    both = np.unique(np.concatenate([answers, labels]), return_inverse=True)[1]
    said, true = np.split(both, 2)
    size = int(both.max()) + 1
    hits = counts * (said == true)
    return sums(hits, true, size), sums(counts, said, size), sums(counts, true, size)


def sums(counts: Array, member: npt.NDArray[np.intp], size: int) -> Array:
    """(samples, size) sums of the rows of each class: `member` (rows,) says of which a row is."""
    order = np.argsort(member, kind="stable")
    present, starts = np.unique(member[order], return_index=True)
    sums = np.zeros((len(counts), size))
    sums[:, present] = np.add.reduceat(counts[:, order], starts, axis=1)
    return sums


def _ranks(values: Values, counts: Array) -> Array:
    """(samples, rows) rank of each row in each sample, equal values sharing their mean.

    A device that scores engines has no SciPy.
    """
    distinct = np.unique(values, return_inverse=True)[1]
    held = sums(counts, distinct, int(distinct.max()) + 1)
    ranks: Array = (np.cumsum(held, axis=1) - (held - 1) / 2)[:, distinct]
    return ranks


def _correlation(shared: Array, spread_x: Array, spread_y: Array) -> Array:
    """0 where one of them is constant; rounding leaves a little of a spread that is none."""
    flat = (spread_x <= 1e-12 * spread_x.max()) | (spread_y <= 1e-12 * spread_y.max())
    return np.where(flat, 0.0, share(shared, np.sqrt(np.maximum(spread_x * spread_y, 0.0))))


def share(part: Array, whole: Array) -> Array:
    """`part / whole`, 0 where there is no whole."""
    return np.divide(part, whole, out=np.zeros(np.shape(part)), where=np.asarray(whole) > 0)


METRICS: dict[str, Callable[[Values, Values, Array], Array]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "matthews_correlation": _matthews_correlation,
    "pearson": _pearson,
    "spearman": _spearman,
    "pearson_spearman": _pearson_spearman,
}
