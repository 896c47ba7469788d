"""The front of a search, and the point on it that a user's constraint asks for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace

from compresskit.errors import ConfigurationError, SearchError
from compresskit.runs.records import Front, FrontPoint, TrialRecord
from compresskit.searchers.constraints import UNBOUND, Constraints
from compresskit.searchers.loop import by_latency
from compresskit.searchers.objectives import Objective, front_of, worth_of


def to_point(record: TrialRecord, metric_name: str, idx: int | None = None) -> FrontPoint:
    """A trial as a point of pareto.json; without `idx`, as the dense model beside the front."""
    of_both = {field.name for field in fields(FrontPoint)} & vars(record).keys()
    known = {name: getattr(record, name) for name in of_both}
    return FrontPoint(idx=idx, metric_name=metric_name, **known)


def build_front(
    records: Sequence[TrialRecord],
    objectives: Sequence[Objective],
    metric_name: str,
    dense: FrontPoint | None = None,
    constraints: Constraints = UNBOUND,
) -> Front:
    """The completed trials that no other dominates, sorted by latency, idx 0 the fastest.

    Those that keep the constraints alone; all, where none does (see `shortfall`).
    """
    good = constraints.feasible(records) or [record for record in records if record.is_completed]
    chosen = sorted((good[i] for i in front_of(good, objectives)), key=by_latency)
    points = tuple(to_point(record, metric_name, idx) for idx, record in enumerate(chosen))
    return Front(tuple(objective.name for objective in objectives), points, dense)


def shortfall(
    records: Sequence[TrialRecord], constraints: Constraints, metric_name: str, remedy: str
) -> str | None:
    """What a user has to know where no trial keeps the constraints; None where one does.

    `remedy` says how the user gets trials that do, where it is the user who set them.
    """
    nearest = constraints.nearest(records)
    if nearest is None or constraints.feasible(records):
        return None
    metric = "no metric" if nearest.metric is None else f"{metric_name} {nearest.metric:.4f}"
    latency = "latency not measured" if nearest.latency_ms is None else f"{nearest.latency_ms:.2f} ms"
    if not constraints.are_set:
        remedy = "More --epochs may lift it, or a better dense model."
    return (
        f"no architecture that was tried has {constraints}; the nearest is trial {nearest.trial_id}: "
        f"{metric}, {latency}. The front shows what there is. {remedy}"
    )


def select_point(
    front: Front,
    *,
    max_drop: float | None = None,
    max_latency_ms: float | None = None,
    min_metric: float | None = None,
) -> FrontPoint:
    """The point that answers the constraints: under a bound on the metric the fastest one that
    keeps all of them; under `max_latency_ms` alone the best of them (see `worth_of`).

    `max_drop` is in points: 1 means a metric of 0.01 below that of `front.dense`. Raises SearchError
    naming the nearest point when none qualifies.
    """
    if max_drop is None and max_latency_ms is None and min_metric is None:
        raise ConfigurationError("no constraint given; name --max-drop, --max-latency-ms or --min-metric.")
    limits = Constraints(max_latency_ms, _metric_floor(front, max_drop, min_metric))
    usable = [p for p in front.points if not limits.violation(p)]
    if not usable:
        raise SearchError(_nearest(front, limits))
    if limits.min_metric is None:
        return max(usable, key=lambda p: -1.0 if (worth := worth_of(p)) is None else worth)
    return min(usable, key=lambda p: float("inf") if p.latency_ms is None else p.latency_ms)


def _metric_floor(front: Front, max_drop: float | None, min_metric: float | None) -> float | None:
    floors = [] if min_metric is None else [min_metric]
    if max_drop is not None:
        if max_drop < 0:
            raise ConfigurationError(f"--max-drop {max_drop:g} is negative; permitted: 0 points or more.")
        dense_metric = None if front.dense is None else front.dense.metric
        if dense_metric is None:
            raise ConfigurationError(
                "--max-drop needs the dense model's metric, which this run lacks; use --min-metric."
            )
        floors.append(dense_metric - max_drop / 100)
    return max(floors) if floors else None


def _nearest(front: Front, limits: Constraints) -> str:
    text = f"no point of the front has {limits}."
    within, good = (replace(limits, min_metric=None), replace(limits, max_latency_ms=None))
    fast = [p for p in front.points if p.metric is not None and not within.violation(p)]
    if fast and limits.min_metric is not None:
        best = max(fast, key=lambda p: p.metric or 0.0)
        text += f" The best metric{' within that latency' if within.are_set else ''}: {_said(best)}."
    able = [p for p in front.points if p.latency_ms is not None and not good.violation(p)]
    if able and limits.max_latency_ms is not None:
        quickest = min(able, key=lambda p: p.latency_ms or 0.0)
        text += f" The fastest{' with that metric' if good.are_set else ''}: {_said(quickest)}."
    return text + " Loosen the constraint, or export the point of your choice by its --pareto-idx."


def _said(point: FrontPoint) -> str:
    latency = "latency not measured" if point.latency_ms is None else f"{point.latency_ms:.2f} ms"
    return f"idx {point.idx}, {point.metric_name} {point.metric:.4f}, {latency}"
