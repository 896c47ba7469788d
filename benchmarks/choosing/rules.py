"""Rules for choosing points, each applied to one half of validation data and judged on the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.front.score import choose, dominated_area
from compresskit.pareto import pareto_mask
from compresskit.searchers.objectives import worth
from compresskit.tasks.metrics import metric, prior

MOST = 8  # points chosen
# What a rule goes by, of a network's metric, its fidelity and the dense model's metric.
RULES: dict[str, Callable[[float, float, float], float]] = {
    "metric": lambda own, fidelity, dense: own,
    "mean": worth,
    "fidelity": lambda own, fidelity, dense: fidelity,
}


@dataclass(frozen=True, eq=False)
class Networks:
    """The networks of a search: answers (networks, rows) to validation rows, and their speed-ups.

    `dense`: the dense model's answers (rows,); `train_labels` give the majority baseline.
    """

    metric_name: str
    answers: npt.NDArray[Any]
    speedups: Sequence[float]
    dense: npt.NDArray[Any]
    labels: npt.NDArray[Any]
    train_labels: npt.NDArray[Any]

    def chosen(self, rule: str, rows: npt.NDArray[Any]) -> list[int]:
        """At most MOST networks, by `rule` on `rows`."""
        measure, by = metric(self.metric_name), RULES[rule]
        labels, dense = self.labels[rows], self.dense[rows]
        of_dense = measure(dense, labels)
        scores = [by(measure(a[rows], labels), measure(a[rows], dense), of_dense) for a in self.answers]
        least = by(self.prior(labels), self.prior(dense), of_dense)
        # Only points of the front can add area.
        front = np.flatnonzero(
            pareto_mask([(-x, -y) for x, y in zip(self.speedups, scores, strict=True)])
        ).tolist()
        speedups, scores = [self.speedups[i] for i in front], [scores[i] for i in front]
        return [front[i] for i in choose(speedups, scores, least, by(of_dense, 1.0, of_dense), MOST)]

    def area(self, chosen: Sequence[int], rows: npt.NDArray[Any]) -> float:
        """What these dominate on `rows`, by their metric."""
        measure, labels = metric(self.metric_name), self.labels[rows]
        metrics = [measure(self.answers[i][rows], labels) for i in chosen]
        speedups = [self.speedups[i] for i in chosen]
        return dominated_area(speedups, metrics, self.prior(labels), measure(self.dense[rows], labels))

    def prior(self, labels: npt.NDArray[Any]) -> float:
        return prior(self.metric_name, self.train_labels, labels)


def halved(networks: Networks, halvings: int, seed: int = 0) -> dict[str, npt.NDArray[np.float64]]:
    """(halvings,) areas of each rule: networks chosen on a random half of the rows, scored on the other."""
    rng = np.random.default_rng(seed)
    size = len(networks.labels)
    found: dict[str, list[float]] = {name: [] for name in RULES}
    for _ in range(halvings):
        order = rng.permutation(size)
        one, other = np.sort(order[: size // 2]), np.sort(order[size // 2 :])
        for name in RULES:
            found[name].append(networks.area(networks.chosen(name, one), other))
    return {name: np.asarray(areas) for name, areas in found.items()}
