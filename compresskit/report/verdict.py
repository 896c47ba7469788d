"""One sentence that says whether pruning helps on the device, computed from the front."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compresskit.report.units import TIMES, milliseconds, number
from compresskit.runs import Front, FrontPoint

ALLOWED_DROP = 0.01  # one point of metric x 100
WORTHWHILE = 1.1


@dataclass(frozen=True)
class Verdict:
    """`kind` is helps, costs, little, none or unknown; `idx` is the point that the verdict rests on."""

    kind: str
    headline: str
    detail: str
    idx: int | None = None


def speedup(point: FrontPoint, dense: FrontPoint | None) -> float | None:
    """How many times as fast as the dense model, by the medians; None where either is not measured."""
    if dense is None or not dense.latency_ms or not point.latency_ms:
        return None
    return dense.latency_ms / point.latency_ms


def is_faster(point: FrontPoint, dense: FrontPoint) -> bool:
    """Whether the whole interval of `point` lies below that of `dense`."""
    return _ends(point)[1] < _ends(dense)[0]


def drop(point: FrontPoint, dense: FrontPoint | None) -> float | None:
    """Metric lost against the dense model; negative for a gain."""
    if dense is None or dense.metric is None or point.metric is None:
        return None
    return dense.metric - point.metric


def judge(front: Front) -> Verdict:
    """The verdict on a front.

    A point counts as faster when its interval lies wholly below the dense one. The best point is the
    fastest that loses at most one point of metric x 100.
    """
    dense, found = front.dense, [point for point in front.points if point.latency_ms is not None]
    if dense is None or dense.latency_ms is None:
        return Verdict("unknown", "No verdict: the dense model was not measured.", "Let the search finish.")
    if not found:
        return Verdict("unknown", "No verdict: no sub-network was measured.", "Let the search finish.")
    whole = (dense.signature, dense.precision)
    smaller = [point for point in found if (point.signature, point.precision) != whole]
    faster = [point for point in smaller if is_faster(point, dense)]
    if not faster:
        fastest = min(smaller or found, key=lambda point: point.latency_ms or 0.0)
        return Verdict(
            "none",
            "Pruning does not help on this device.",
            f"No sub-network was measured to be faster than the dense model: the fastest takes "
            f"{milliseconds(fastest.latency_ms)} (95 % interval {_interval(fastest)}), the dense model "
            f"{milliseconds(dense.latency_ms)} ({_interval(dense)}). Use the dense model here.",
        )
    return _judge_faster(faster, dense)


def _judge_faster(faster: Sequence[FrontPoint], dense: FrontPoint) -> Verdict:
    quickest = min(faster, key=lambda point: point.latency_ms or 0.0)
    scored = [point for point in faster if drop(point, dense) is not None]
    if not scored:
        return Verdict(
            "unknown",
            "No verdict: no metric was recorded.",
            f"Point {quickest.idx} is {_times(quickest, dense)} as fast, at an unknown loss.",
            quickest.idx,
        )
    within = [point for point in scored if (drop(point, dense) or 0.0) <= ALLOWED_DROP + 1e-9]
    if not within:
        mildest = min(scored, key=lambda point: drop(point, dense) or 0.0)
        return Verdict(
            "costs",
            "Pruning is faster on this device, but costs more than one point of accuracy."
            if dense.metric_name == "accuracy"
            else f"Pruning is faster on this device, but costs more than one point of {_plain(dense)}.",
            f"The mildest loss: {_describe(mildest, dense)}.",
            mildest.idx,
        )
    best = min(within, key=lambda point: point.latency_ms or 0.0)
    ratio = speedup(best, dense) or 1.0
    detail = f"{_describe(best, dense)[0].upper()}{_describe(best, dense)[1:]}."
    further = [point for point in scored if (drop(point, dense) or 0.0) <= 3 * ALLOWED_DROP + 1e-9]
    bolder = min(further, key=lambda point: point.latency_ms or 0.0)
    if bolder is not best:
        detail += f" Where three points may be lost, {_describe(bolder, dense)}."
    if ratio < WORTHWHILE:
        return Verdict(
            "little",
            f"Pruning helps little on this device: {_times(best, dense)} as fast for at most one point.",
            detail,
            best.idx,
        )
    return Verdict(
        "helps",
        f"Pruning helps on this device: {_times(best, dense)} as fast, {_loss(drop(best, dense) or 0.0)}.",
        detail,
        best.idx,
    )


def _describe(point: FrontPoint, dense: FrontPoint) -> str:
    lost = drop(point, dense) or 0.0
    return (
        f"point {point.idx} takes {milliseconds(point.latency_ms)} ({_times(point, dense)} as fast as the "
        f"dense model's {milliseconds(dense.latency_ms)}) at {(point.metric or 0.0) * 100:.2f} "
        f"{_plain(dense)} ({_loss(lost)})"
    )


def _loss(lost: float) -> str:
    if round(lost * 100, 2) == 0:
        return "at no loss"
    return f"{abs(lost) * 100:.2f} points {'lost' if lost > 0 else 'gained'}"


def _times(point: FrontPoint, dense: FrontPoint) -> str:
    return f"{number(speedup(point, dense) or 1.0)}{TIMES}"


def _plain(dense: FrontPoint) -> str:
    return dense.metric_name.replace("_", " ")


def _ends(point: FrontPoint) -> tuple[float, float]:
    assert point.latency_ms is not None
    return point.latency_ci_ms or (point.latency_ms, point.latency_ms)


def _interval(point: FrontPoint) -> str:
    low, high = _ends(point)
    return f"{number(low)} to {number(high)} ms"
