"""Latency as a sum over layers: used to choose among proposals, never recorded as a result."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Shapes = Sequence[tuple[int, int]]  # (heads, units) of each layer that stays
Array = npt.NDArray[np.float64]

FEWEST = 5  # measurements, below which nothing is predicted
_RIDGE = 1e-3


@dataclass(frozen=True, eq=False)
class AdditiveLatency:
    """Milliseconds of an architecture as a sum of parts, none of them negative.

    A constant; for each attention block a constant and a share a head, for each feed-forward block a
    constant and a share a unit. Layers have equal weights, so they have equal shares, but the last
    attention block and what follows it have shares of their own: there a graph may compute the first token
    alone. `error` is the relative error (root mean square) of predictions for architectures left out of
    the fit.
    """

    weights: Array
    scale: Array
    error: float

    @classmethod
    def fit(cls, shapes: Sequence[Shapes], latencies_ms: Sequence[float]) -> AdditiveLatency | None:
        """Least squares of relative errors; None for fewer than FEWEST measurements."""
        if len(shapes) < FEWEST:
            return None
        rows = np.array([_features(each) for each in shapes])
        scale = np.maximum(rows.max(axis=0), 1.0)
        latencies = np.asarray(latencies_ms, dtype=np.float64)
        # Divided by the latency, so that a small network's error counts for as much as a large one's.
        design = rows / scale / latencies[:, None]
        missed = []
        for left_out in range(len(rows)):
            others = np.arange(len(rows)) != left_out
            missed.append(float(design[left_out] @ _solved(design[others])) - 1)
        return cls(_solved(design), scale, float(np.sqrt(np.mean(np.square(missed)))))

    def predict_ms(self, shapes: Shapes) -> float:
        return float(np.array(_features(shapes)) / self.scale @ self.weights)


def _features(shapes: Shapes) -> list[float]:
    last = max((i for i, (heads, _) in enumerate(shapes) if heads), default=0)
    before, rest = shapes[:last], shapes[last:]
    return [
        1.0,
        sum(heads > 0 for heads, _ in before),
        sum(heads for heads, _ in before),
        sum(units > 0 for _, units in before),
        sum(units for _, units in before),
        rest[0][0],
        sum(units for _, units in rest),
    ]


def _solved(design: Array) -> Array:
    """Weights, none negative, whose sums come nearest to 1 in every row."""
    from scipy.optimize import nnls

    size = design.shape[1]
    ridge = np.sqrt(_RIDGE * np.square(design).sum() / size) * np.eye(size)
    found, _ = nnls(np.vstack([design, ridge]), np.concatenate([np.ones(len(design)), np.zeros(size)]))
    return np.asarray(found, dtype=np.float64)
