"""What a search trades: values as measured, and the costs that searchers minimise."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Protocol

import numpy as np

from compresskit.errors import SearchError, one_of
from compresskit.pareto import Costs, hypervolume, pareto_mask


class Measured(Protocol):
    """What an evaluation and a trial record have in common."""

    @property
    def metric(self) -> float | None: ...
    @property
    def latency_ms(self) -> float | None: ...
    @property
    def num_params(self) -> int | None: ...
    @property
    def macs(self) -> int | None: ...
    @property
    def size_bytes(self) -> int | None: ...
    @property
    def worth(self) -> float | None: ...


def worth(metric: float, fidelity: float, dense_metric: float) -> float:
    """What a point is worth: the mean of metric and fidelity, and half of what it is better than dense by.

    Labels of validation rows are few and noisy: of many networks the luckiest one leads, and
    one that is right by luck where the dense model is wrong counts as better than one that knows as much
    as it. Departures from the dense model's answers show on every row and carry over to other texts; alone
    they would not tell a network that knows more from one that knows less. One that has left a dense model
    behind departs from it for the better: what it has beyond `dense_metric`, on these rows, counts in full.
    """
    return (metric + fidelity + max(0.0, metric - dense_metric)) / 2


def worth_of(measured: Measured) -> float | None:
    """What points are chosen by: `worth`, or the metric where that is all there is."""
    return measured.metric if measured.worth is None else measured.worth


@dataclass(frozen=True, slots=True)
class Objective:
    """One objective, `metric` as in `worth_of`; of a `is_ratio` objective factors matter, not differences."""

    name: str
    is_ratio: bool

    def value(self, measured: Measured) -> float | None:
        value: float | None = worth_of(measured) if self.name == "metric" else getattr(measured, self.name)
        return value

    def cost(self, value: float) -> float:
        """The cost to minimise. The only place where the metric, which is maximised, becomes an error."""
        return 1.0 - value if self.name == "metric" else value


OBJECTIVES = {
    name: Objective(name, is_ratio=name != "metric")
    for name in ("metric", "latency_ms", "num_params", "macs", "size_bytes")
}


def make_objectives(names: Sequence[str]) -> tuple[Objective, ...]:
    """The objectives of these names. Raises SearchError unless they are two or more, known, distinct."""
    for name in names:
        if name not in OBJECTIVES:
            raise SearchError(one_of("objective", name, OBJECTIVES))
    if len(names) < 2 or len(set(names)) != len(names):
        raise SearchError(
            f"objectives {','.join(names)!r} make no trade-off; name two or more different ones of "
            f"{', '.join(OBJECTIVES)}, for instance metric,latency_ms."
        )
    return tuple(OBJECTIVES[name] for name in names)


def costs_of(measured: Measured, objectives: Sequence[Objective]) -> tuple[float, ...] | None:
    """The costs to minimise, one an objective; None where one was not measured or is not finite."""
    values = [objective.value(measured) for objective in objectives]
    if any(value is None or not isfinite(value) for value in values):
        return None
    return tuple(o.cost(float(v)) for o, v in zip(objectives, values, strict=True) if v is not None)


def scaled_costs(costs: Sequence[Sequence[float]], objectives: Sequence[Objective]) -> Costs:
    """Costs (n, m) scaled to [0, 1] over these n points; ratios by their logarithm first."""
    array = np.asarray(costs, dtype=np.float64)
    for column, objective in enumerate(objectives):
        if objective.is_ratio:
            array[:, column] = np.log(np.maximum(array[:, column], 1e-12))
    lowest, spread = array.min(axis=0), np.ptp(array, axis=0)
    scaled: Costs = (array - lowest) / np.where(spread > 0, spread, 1.0)
    return scaled


def front_of(trials: Sequence[Measured], objectives: Sequence[Objective]) -> list[int]:
    """Positions of the trials that no other dominates; those without all objectives are left out."""
    rows = [costs_of(trial, objectives) or (float("nan"),) * len(objectives) for trial in trials]
    return [int(i) for i in np.flatnonzero(pareto_mask(rows))] if rows else []


def relative_hypervolume(
    trials: Sequence[Measured], dense: Measured, objectives: Sequence[Objective]
) -> float | None:
    """Volume that `trials` dominate, of the box from no cost at all to the dense model's (error: to 1).

    In [0, 1], and it never falls as trials are added. None where the dense model was not measured.
    """
    corner = costs_of(dense, objectives)
    if corner is None:
        return None
    scale = np.array([c if o.is_ratio else 1.0 for c, o in zip(corner, objectives, strict=True)])
    rows = [row for trial in trials if (row := costs_of(trial, objectives)) is not None]
    if not rows:
        return 0.0
    # What is far beyond its dense model may be worth more than 1.
    return hypervolume(np.maximum(rows, 0.0) / scale, np.ones(len(objectives)))
