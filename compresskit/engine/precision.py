"""Which precision an engine should have: the fastest that keeps the metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from compresskit.errors import EngineError


@dataclass(frozen=True)
class PrecisionTrial:
    """One point in one precision, as measured on the target; `error` says why it was not."""

    precision: str
    latency_ms: float | None
    metric: float | None
    error: str | None = None


@dataclass(frozen=True)
class PrecisionChoice:
    """The chosen trial, and for each other one why it was not chosen."""

    chosen: PrecisionTrial
    reasons: dict[str, str]


def choose_precision(trials: Sequence[PrecisionTrial], *, max_drop: float) -> PrecisionChoice:
    """The fastest trial whose metric x 100 lies at most `max_drop` points below that of fp32.

    EngineError when fp32 itself was not measured.
    """
    dense = next((trial for trial in trials if trial.precision == "fp32"), None)
    if dense is None or dense.latency_ms is None or dense.metric is None:
        raise EngineError(
            f"precision auto needs fp32 measured first: {dense.error if dense else 'it was not tried'}."
        )
    chosen, best_ms, reasons = dense, dense.latency_ms, {}
    for trial in trials:
        reasons[trial.precision] = _objection(trial, dense.metric, max_drop)
        if not reasons[trial.precision] and trial.latency_ms is not None and trial.latency_ms < best_ms:
            chosen, best_ms = trial, trial.latency_ms
    for trial in trials:
        if not reasons[trial.precision] and trial is not chosen:
            reasons[trial.precision] = f"{trial.latency_ms:.3f} ms against {best_ms:.3f} ms"
    del reasons[chosen.precision]
    return PrecisionChoice(chosen, reasons)


def _objection(trial: PrecisionTrial, metric: float, max_drop: float) -> str:
    if trial.latency_ms is None or trial.metric is None:
        return trial.error or "not measured"
    drop = (metric - trial.metric) * 100
    # Differences of fractions such as 0.905 - 0.9 are not exact.
    return f"loses {drop:.2f} points, {max_drop:g} are permitted" if drop > max_drop + 1e-9 else ""
