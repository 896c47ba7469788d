"""What a bench found: the value behind `bench --json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from compresskit.target.comparison_result import Ratio


@dataclass(frozen=True)
class EngineResult:
    """One engine as measured. What was not measured, or is not known of a bare file, is None.

    `ci_ms` is the 95 % interval of the median; `metric` is a fraction, computed by this engine.
    `marks` are the reasons why the figures of time are not to be trusted. `recorded_ms` is what the search
    measured, `corrected_ms` what this bench did in the same state of the machine.
    """

    path: str
    is_baseline: bool
    sha256: str
    p50_ms: float
    p95_ms: float | None
    p99_ms: float | None
    ci_ms: tuple[float, float]
    samples_ms: tuple[float, ...]
    throughput_per_s: float
    first_run_ms: float
    peak_memory_bytes: int | None
    size_bytes: int
    signature: str | None = None
    precision: str | None = None
    num_params: int | None = None
    macs: int | None = None
    metric: float | None = None
    metric_name: str | None = None
    recorded_ms: float | None = None
    corrected_ms: float | None = None
    corrected_ci_ms: tuple[float, float] | None = None
    p95_ci_ms: tuple[float, float] | None = None
    p99_ci_ms: tuple[float, float] | None = None
    marks: tuple[str, ...] = ()

    def to_json(self, *, raw: bool = False) -> dict[str, Any]:
        value: dict[str, Any] = {
            "path": self.path,
            "is_baseline": self.is_baseline,
            "latency_ms": {
                "p50": self.p50_ms,
                "p95": self.p95_ms,
                "p99": self.p99_ms,
                "ci": list(self.ci_ms),
                "p95_ci": None if self.p95_ci_ms is None else list(self.p95_ci_ms),
                "p99_ci": None if self.p99_ci_ms is None else list(self.p99_ci_ms),
                "recorded": self.recorded_ms,
                "corrected": self.corrected_ms,
                "corrected_ci": None if self.corrected_ci_ms is None else list(self.corrected_ci_ms),
            },
            "samples": len(self.samples_ms),
            "throughput_per_s": self.throughput_per_s,
            "first_run_ms": self.first_run_ms,
            "peak_memory_bytes": self.peak_memory_bytes,
            "size_bytes": self.size_bytes,
            "metric": self.metric,
            "metric_name": self.metric_name,
            "num_params": self.num_params,
            "macs": self.macs,
            "precision": self.precision,
            "signature": self.signature,
            "sha256": self.sha256,
            "marks": list(self.marks),
        }
        if raw:
            value["samples_ms"] = [round(sample, 5) for sample in self.samples_ms]
        return value


@dataclass(frozen=True)
class BenchResult:
    """Engines in the order they were given; `changes` is what an earlier bench makes of them.

    `marks` are the reasons why no figure of time is to be trusted; engines and ratios have their own.
    `failed` and `undecided` are what a gate found, in words.
    """

    engines: tuple[EngineResult, ...]
    ratios: tuple[Ratio, ...]
    profile: Mapping[str, Any]
    conditions: Mapping[str, Any]
    warnings: tuple[str, ...]
    changes: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()

    def to_json(self, *, raw: bool = False) -> dict[str, Any]:
        """The format of `bench --json`; with `raw` every sample too."""
        return {
            "engines": [engine.to_json(raw=raw) for engine in self.engines],
            "ratios": [ratio.to_json() for ratio in self.ratios],
            "profile": dict(self.profile),
            "conditions": dict(self.conditions),
            "warnings": list(self.warnings),
            "changes": list(self.changes),
            "marks": list(self.marks),
        }


def blank_result(num_engines: int) -> BenchResult:
    """What a bench of so many engines will fill in: every number is there, and is 0."""
    blank = EngineResult(
        path="engine",
        is_baseline=False,
        sha256="",
        p50_ms=0.0,
        p95_ms=0.0,
        p99_ms=0.0,
        ci_ms=(0.0, 0.0),
        samples_ms=(),
        throughput_per_s=0.0,
        first_run_ms=0.0,
        peak_memory_bytes=0,
        size_bytes=0,
        signature="",
        precision="",
        metric_name="",
        num_params=0,
        macs=0,
        metric=0.0,
        recorded_ms=0.0,
        corrected_ms=0.0,
        corrected_ci_ms=(0.0, 0.0),
        p95_ci_ms=(0.0, 0.0),
        p99_ci_ms=(0.0, 0.0),
    )
    ratio = Ratio("engine", "baseline", 0.0, (0.0, 0.0))
    return BenchResult((blank,) * num_engines, (ratio,) * (num_engines - 1), {}, {}, ())


def disagreement(engine: EngineResult) -> str | None:
    """Bench and search differ by more than 5 % and more than chance: the warning; None where they do not."""
    if engine.recorded_ms is None or engine.corrected_ms is None or engine.corrected_ci_ms is None:
        return None
    low, high = engine.corrected_ci_ms
    apart = engine.corrected_ms / engine.recorded_ms - 1
    if abs(apart) <= 0.05 or low <= engine.recorded_ms <= high:
        return None
    return (
        f"{engine.path}: search measured {engine.recorded_ms:.3f} ms, this bench "
        f"{engine.corrected_ms:.3f} ms in the same state of the machine ({100 * apart:+.0f} %); measure "
        "the front again, after method nas with `compresskit search --from RUN --output NEW`."
    )
