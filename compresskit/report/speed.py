"""How many times as fast as the dense model a point is, with its interval."""

from __future__ import annotations

from dataclasses import dataclass

from compresskit.report.units import TIMES, number
from compresskit.runs import FrontPoint

WORTHWHILE = 1.1


@dataclass(frozen=True)
class Speed:
    """Speed-up over the dense model and its 95 % interval."""

    times: float
    ci: tuple[float, float]


def speed_of(point: FrontPoint, dense: FrontPoint | None) -> Speed | None:
    """As it was measured in pairs, else by the two medians and their intervals; None where one is missing.

    The interval of two that were measured apart spans all ratios of what both intervals hold.
    """
    if dense is None or not dense.latency_ms or not point.latency_ms:
        return None
    if point.speedup is not None:
        return Speed(point.speedup, point.speedup_ci or (point.speedup, point.speedup))
    own, whole = _ends(point), _ends(dense)
    return Speed(dense.latency_ms / point.latency_ms, (whole[0] / own[1], whole[1] / max(own[0], 1e-9)))


def speedup(point: FrontPoint, dense: FrontPoint | None) -> float | None:
    """How many times as fast as the dense model; None where either is not measured."""
    speed = speed_of(point, dense)
    return None if speed is None else speed.times


def is_faster(point: FrontPoint, dense: FrontPoint) -> bool:
    """Whether the whole interval of the speed-up lies above 1."""
    speed = speed_of(point, dense)
    return speed is not None and speed.ci[0] > 1


def says_times(point: FrontPoint, dense: FrontPoint) -> str:
    return f"{number(speedup(point, dense) or 1.0)}{TIMES}"


def describe_interval(point: FrontPoint) -> str:
    low, high = _ends(point)
    return f"{number(low)} to {number(high)} ms"


def _ends(point: FrontPoint) -> tuple[float, float]:
    assert point.latency_ms is not None
    return point.latency_ci_ms or (point.latency_ms, point.latency_ms)
