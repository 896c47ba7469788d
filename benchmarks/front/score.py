"""How good a set of engines is: dominated area, comparison by paired bootstrap, best at a size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.front.quantiles import quantile_hypervolumes
from compresskit.pareto import hypervolume
from compresskit.tasks.metrics import metric

MOST_SPEEDUP = 16.0
THRESHOLDS = tuple(float(share) for share in np.linspace(0.2, 0.99, 21))  # Klein et al. 2024, section 4
DRAWS = 1000
Array = npt.NDArray[Any]


@dataclass(frozen=True, eq=False)
class Scored:
    """The engines of one method on one task and seed.

    `predictions`: an engine's logits (rows, labels) on test rows, one array each; `speedups`: how
    many times faster than dense each is; `constant`: what the prior answers to every row.
    """

    metric_name: str
    labels: Array
    constant: float
    dense: Array
    predictions: Sequence[Array]
    speedups: Sequence[float]

    def volume(self, rows: Array | None = None) -> float:
        """`hypervolume` on the test rows numbered `rows`, or on all."""
        chosen = np.arange(len(self.labels)) if rows is None else rows
        measure = metric(self.metric_name)
        labels = self.labels[chosen]
        prior = measure(np.full(len(chosen), self.constant), labels)
        dense = measure(self.dense[chosen], labels)
        metrics = [measure(logits[chosen], labels) for logits in self.predictions]
        return dominated_area(self.speedups, metrics, prior, dense)


def dominated_area(speedups: Sequence[float], metrics: Sequence[float], prior: float, dense: float) -> float:
    """Area above (1x, prior): x is the log of the speed-up, at most 16 times.

    y is 0 at the prior, 1 at dense. The area is 0 where dense is no better than the prior.
    """
    if not len(speedups) or dense <= prior:
        return 0.0
    x = np.log(np.clip(speedups, 1e-9, MOST_SPEEDUP))
    y = (np.asarray(metrics) - prior) / (dense - prior)
    return hypervolume(np.column_stack((-x, -y)), (0.0, 0.0))


def choose(
    speedups: Sequence[float], metrics: Sequence[float], prior: float, dense: float, most: int
) -> list[int]:
    """At most `most` points, greedily, so that they dominate most area on validation; in input order."""
    chosen: list[int] = []
    for _ in range(min(most, len(speedups))):
        areas = {
            i: dominated_area(
                [speedups[j] for j in (*chosen, i)], [metrics[j] for j in (*chosen, i)], prior, dense
            )
            for i in range(len(speedups))
            if i not in chosen
        }
        best = max(areas, key=lambda i: areas[i])
        before = dominated_area([speedups[j] for j in chosen], [metrics[j] for j in chosen], prior, dense)
        if areas[best] <= before:
            break
        chosen.append(best)
    return sorted(chosen)


@dataclass(frozen=True)
class Difference:
    """Of two methods' areas, the first minus the second, with its 95 % interval."""

    mean: float
    low: float
    high: float

    @property
    def verdict(self) -> str:
        """What it means for the first: win, loss, or tie where the interval holds 0."""
        return "win" if self.low > 0 else "loss" if self.high < 0 else "tie"


def compare(
    first: Sequence[Scored], second: Sequence[Scored], draws: int = DRAWS, seed: int = 0
) -> Difference:
    """Paired bootstrap over seeds and test rows; both list the same seeds in the same order.

    A draw takes seeds with replacement, and the same rows for both methods and all seeds.
    """
    if len(first) != len(second) or not first:
        raise ValueError(f"{len(first)} and {len(second)} seeds cannot be paired.")
    rng = np.random.default_rng(seed)
    size = len(first[0].labels)
    differences = np.empty(draws)
    for draw in range(draws):
        rows = rng.integers(size, size=size)
        seeds = rng.integers(len(first), size=len(first))
        differences[draw] = np.mean([first[i].volume(rows) - second[i].volume(rows) for i in seeds])
    mean = float(np.mean([a.volume() - b.volume() for a, b in zip(first, second, strict=True)]))
    low, high = np.quantile(differences, (0.025, 0.975))
    return Difference(mean, float(low), float(high))


def quantile_volumes(points: Mapping[str, Sequence[Mapping[str, Any]]]) -> dict[str, float]:
    """The paper's hypervolume of each method's engines in test error and latency, pooled over the methods."""
    return quantile_hypervolumes(
        {
            name: [(1.0 - point["test_metric"], point["latency_ms"]) for point in found]
            for name, found in points.items()
        }
    )


def best_at_sizes(points: Sequence[Mapping[str, Any]], dense_params: int) -> list[float | None]:
    """Best test metric among engines of at most each threshold of the dense parameters; else None."""
    found: list[float | None] = []
    for threshold in THRESHOLDS:
        fitting = [p["test_metric"] for p in points if p["num_params"] <= threshold * dense_params]
        found.append(max(fitting, default=None))
    return found


def kept_at(points: Sequence[Mapping[str, Any]], dense: float, speedup: float) -> float | None:
    """Test metric relative to `dense` of the engine that is best on validation among the fast enough.

    Best is what `select_point` takes.
    """
    fast = [p for p in points if p["speedup"] >= speedup]
    best = max(fast, key=lambda p: float(p.get("worth", p["metric"])), default=None)
    return None if best is None else best["test_metric"] / dense
