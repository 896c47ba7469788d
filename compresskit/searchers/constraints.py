"""Limits of a search: by how much a trial violates them, and how searchers take that into account."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from compresskit.runs.records import TrialRecord
from compresskit.searchers.objectives import Measured, Objective

_ROUNDING = 1e-9
_POSITIVE = 1e-12  # below it a ratio has no logarithm worth having
_LEAST = 1e-6  # that a metric lacks which is no better than the prior


@dataclass(frozen=True)
class Constraints:
    """Bounds on what is measured, whether or not it is an objective; None bounds nothing.

    `prior`: the metric of the majority baseline. It costs no time, and so dominates all that is no better.
    """

    max_latency_ms: float | None = None
    min_metric: float | None = None
    prior: float | None = None

    @classmethod
    def relative(
        cls,
        max_latency_ms: float | None,
        max_drop: float | None,
        dense_metric: float,
        prior: float | None = None,
    ) -> Constraints:
        """`max_drop` is in points: 1 means a metric of 0.01 below `dense_metric`."""
        return cls(max_latency_ms, None if max_drop is None else dense_metric - max_drop / 100, prior)

    @property
    def are_set(self) -> bool:
        """Whether there are limits beside the prior."""
        return self.max_latency_ms is not None or self.min_metric is not None

    def __str__(self) -> str:
        wanted = [] if self.min_metric is None else [f"a metric of at least {self.min_metric:.4f}"]
        if self.prior is not None and (self.min_metric is None or self.min_metric <= self.prior):
            wanted = [f"a metric above {self.prior:.4f} (the majority baseline)"]
        wanted += [] if self.max_latency_ms is None else [f"at most {self.max_latency_ms:g} ms"]
        return " and ".join(wanted)

    def violation(self, measured: Measured) -> float:
        """How far `measured` is from feasible: 0 where it keeps all bounds, at most 1 a bound.

        Latency counts by the share that would have to go, the metric by what it lacks; what was not
        measured counts as broken.
        """
        total = 0.0
        if self.max_latency_ms is not None:
            latency = measured.latency_ms
            total += 1.0 if latency is None else max(0.0, 1 - self.max_latency_ms / latency)
        if self.min_metric is not None:
            metric = measured.metric
            total += 1.0 if metric is None else min(1.0, max(0.0, self.min_metric - metric))
        if self.prior is not None:
            lacks = 1.0 if measured.metric is None else min(1.0, self.prior - measured.metric + _LEAST)
            total += max(0.0, lacks)
        return total if total > _ROUNDING else 0.0

    def feasible(self, records: Sequence[TrialRecord]) -> list[TrialRecord]:
        """The completed trials that keep all bounds."""
        return [record for record in records if record.is_completed and not self.violation(record)]

    def nearest(self, records: Sequence[TrialRecord]) -> TrialRecord | None:
        """The completed trial that breaks the bounds least; None where none is completed."""
        return min((record for record in records if record.is_completed), key=self.violation, default=None)


UNBOUND = Constraints()


def feasible_first(
    costs: Sequence[tuple[float, ...]], violations: Sequence[float], objectives: Sequence[Objective]
) -> list[tuple[float, ...]]:
    """Costs by which every feasible row dominates the others, and of two others the one nearer to feasible.

    The constrained domination of NSGA-II (Deb et al., 2002, section VI) put into the costs, so that every
    searcher keeps to it. Feasible rows stay as they are. Another row gets, in each objective, the worst
    of the feasible ones and beyond it its violation times their range (of a ratio: in its logarithm), so
    that it is not so far away that a model of the costs sees nothing else.
    """
    if not any(violations):
        return list(costs)
    broken = np.asarray(violations, dtype=np.float64)
    array = np.asarray(costs, dtype=np.float64)
    kept = array[broken == 0] if (broken == 0).any() else array
    for column, objective in enumerate(objectives):
        best, worst = kept[:, column].min(), kept[:, column].max()
        if objective.is_ratio:
            spread = np.log(max(worst, _POSITIVE) / max(best, _POSITIVE)) or 1.0
            beyond = max(worst, _POSITIVE) * np.exp(broken * spread)
        else:
            beyond = worst + broken * ((worst - best) or 1.0)
        array[:, column] = np.where(broken > 0, beyond, array[:, column])
    return [tuple(float(cost) for cost in row) for row in array]
