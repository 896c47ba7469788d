"""What a metric is to be expected on rows that nobody has seen, from what few validation rows say."""

from __future__ import annotations

from typing import Any

import numpy.typing as npt

from compresskit.tasks.metrics import CLASSIFICATION, metric

Array = npt.NDArray[Any]


def answers_of(metric_name: str, logits: Array) -> Array:
    """What a model says, as labels: (rows,) class ids, or values, of logits (rows, labels)."""
    return logits.argmax(-1) if metric_name in CLASSIFICATION else logits[:, 0]


def expected_metric(metric_name: str, logits: Array, labels: Array, dense: Array) -> float:
    """The mean of the metric and of what fidelity to the dense model makes of the dense model's own.

    `logits` (rows, labels) of a compressed model; `labels` and `dense`, the dense model's answers, (rows,).
    Fidelity is the metric with those answers for labels (Stanton et al., Does Knowledge Distillation
    Really Work?, 2021, call the accuracy of it agreement); the dense model has 1 and so its own metric.

    Labels are noisy and few: of many models the one that they flatter most leads, and a model that got
    right by luck what the dense model has wrong counts as better. Departures from the dense model are
    counted on every row and carry over to other texts, but alone they would not tell a model that knows
    more from one that knows less.
    """
    measure = metric(metric_name)
    whole = max(0.0, measure(dense, labels))
    return (measure(logits, labels) + whole * measure(logits, dense)) / 2
