"""Which precisions an engine can have, and which it should: the fastest that keeps the metric."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from compresskit.errors import ConfigurationError, EngineError, one_of

# int8 quantizes activations as they come, int8-static by ranges calibrated on training texts.
ENGINE_PRECISIONS = ("fp32", "fp16", "int8", "int8-static")
AUTO = "auto"
DEFAULT_DROP = 0.5  # points that precision auto may lose by default


def check_precision(precision: str) -> None:
    """ConfigurationError unless `precision` is one of an engine, or auto."""
    if precision not in (*ENGINE_PRECISIONS, AUTO):
        raise ConfigurationError(one_of("--precision", precision, (*ENGINE_PRECISIONS, AUTO)))


def refusal(precision: str, provider: str) -> str | None:
    """Why `precision` cannot be fast on `provider` (cpu, cuda, tensorrt); None where it can."""
    match precision, provider:
        case "fp16", "cpu":
            return "ONNX Runtime casts fp16 back and forth on a CPU"
        case "int8", "cuda" | "tensorrt":
            return f"{provider} has no kernels that quantize as they run"
        case "int8-static", "cuda":
            return "cuda computes QDQ graphs in float"
    return None


@dataclass(frozen=True)
class PrecisionTrial:
    """One point in one precision, as measured on the target; `error` says why it was not.

    `float_layers` are modules that were kept in float. `metric` is of validation data.
    """

    precision: str
    latency_ms: float | None
    metric: float | None
    error: str | None = None
    latency_ci_ms: tuple[float, float] | None = None
    float_layers: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The precision, and how many layers it does not hold for."""
        kept = len(self.float_layers)
        return self.precision + (f" but {kept} layer{'s' * (kept > 1)} in float" if kept else "")


@dataclass(frozen=True)
class PrecisionChoice:
    """The chosen trial, and for each other one, by its name, why it was not chosen."""

    chosen: PrecisionTrial
    reasons: dict[str, str]

    def to_json(self, trials: Sequence[PrecisionTrial]) -> list[dict[str, Any]]:
        """All trials, each with `reason`: why it was not chosen, None for the chosen one."""
        return [{**asdict(trial), "reason": self.reasons.get(trial.name)} for trial in trials]


def choose_precision(trials: Sequence[PrecisionTrial], *, max_drop: float) -> PrecisionChoice:
    """The fastest trial whose metric x 100 lies at most `max_drop` points below that of fp32.

    EngineError when fp32 itself was not measured.
    """
    dense = next((trial for trial in trials if trial.name == "fp32"), None)
    if dense is None or dense.latency_ms is None or dense.metric is None:
        raise EngineError(
            f"precision auto needs fp32 measured first: {dense.error if dense else 'it was not tried'}."
        )
    chosen, best_ms, reasons = dense, dense.latency_ms, {}
    for trial in trials:
        reasons[trial.name] = objection(trial, dense.metric, max_drop)
        if not reasons[trial.name] and trial.latency_ms is not None and trial.latency_ms < best_ms:
            chosen, best_ms = trial, trial.latency_ms
    for trial in trials:
        if not reasons[trial.name] and trial is not chosen:
            reasons[trial.name] = f"{trial.latency_ms:.3f} ms against {best_ms:.3f} ms"
    del reasons[chosen.name]
    return PrecisionChoice(chosen, reasons)


def objection(trial: PrecisionTrial, metric: float, max_drop: float) -> str:
    """Why a trial is out of the question, whatever its speed; empty where it is not."""
    if trial.metric is None:
        return trial.error or "not measured"
    if loses_more(trial.metric, metric, max_drop):
        return f"loses {(metric - trial.metric) * 100:.2f} points, {max_drop:g} are permitted"
    return "" if trial.latency_ms is not None else trial.error or "not measured"


def loses_more(metric: float, wanted: float, max_drop: float) -> bool:
    """Whether `metric` lies more than `max_drop` points (hundredths) below `wanted`."""
    # Differences of fractions such as 0.905 - 0.9 are not exact.
    return (wanted - metric) * 100 > max_drop + 1e-9
