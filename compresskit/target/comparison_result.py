"""What a comparison of engines found."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class EngineMeasurement:
    """Latency of one engine: under a mix of lengths `median_ms` is the weighted mean of their medians.

    The corrected pair is what it would be with the machine in the state that a search corrected to.
    Percentiles that the samples cannot carry are None, and so are their intervals under a mix of lengths.
    `marks` are the reasons why the figures of time are not to be trusted.
    """

    name: str
    samples_ms: tuple[float, ...]
    median_ms: float
    ci_ms: tuple[float, float]
    p95_ms: float | None
    p99_ms: float | None
    throughput_per_s: float
    first_run_ms: float
    peak_memory_bytes: int | None
    size_bytes: int
    nodes: dict[str, int] = field(default_factory=dict)
    corrected_ms: float | None = None
    corrected_ci_ms: tuple[float, float] | None = None
    p95_ci_ms: tuple[float, float] | None = None
    p99_ci_ms: tuple[float, float] | None = None
    marks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        latency = {"p50": self.median_ms, "p95": self.p95_ms, "p99": self.p99_ms, "ci": list(self.ci_ms)}
        latency |= {
            name: None if ends is None else list(ends)
            for name, ends in (("p95_ci", self.p95_ci_ms), ("p99_ci", self.p99_ci_ms))
        }
        return {
            "path": self.name,
            "latency_ms": latency,
            "samples": len(self.samples_ms),
            "samples_ms": [round(sample, 5) for sample in self.samples_ms],
            "throughput_per_s": self.throughput_per_s,
            "first_run_ms": self.first_run_ms,
            "peak_memory_bytes": self.peak_memory_bytes,
            "size_bytes": self.size_bytes,
            "nodes": self.nodes,
            "marks": list(self.marks),
        }


# Forms of a graph that differ by less are as good as each other.
INDIFFERENCE = 0.02


@dataclass(frozen=True)
class Ratio:
    """`speedup` is the baseline's median over the engine's, with its paired interval.

    That is of 95 %, or of 99 % where it was looked at again until it decided.
    """

    engine: str
    baseline: str
    speedup: float
    ci: tuple[float, float]
    marks: tuple[str, ...] = ()

    @property
    def no_difference_shown(self) -> bool:
        """Whether the interval contains 1, so that neither can be called faster."""
        return self.ci[0] <= 1 <= self.ci[1]

    @property
    def is_decided(self) -> bool:
        """Whether the interval leaves 1 out, or shows that the two differ by no more than 2 %."""
        alike = self.ci[0] >= 1 / (1 + INDIFFERENCE) and self.ci[1] <= 1 + INDIFFERENCE
        return alike or not self.no_difference_shown

    def to_json(self) -> dict[str, Any]:
        return {
            "engine": self.engine,
            "baseline": self.baseline,
            "speedup": self.speedup,
            "ci": list(self.ci),
            "no_difference_shown": self.no_difference_shown,
            "marks": list(self.marks),
        }


@dataclass(frozen=True)
class Comparison:
    """`marks` are the reasons why none of the figures of time is to be trusted."""

    measurements: tuple[EngineMeasurement, ...]
    ratios: tuple[Ratio, ...]
    conditions: dict[str, Any]
    warnings: tuple[str, ...]
    marks: tuple[str, ...] = ()

    def to_json(self) -> dict[str, Any]:
        return {
            "engines": [engine.to_json() for engine in self.measurements],
            "ratios": [ratio.to_json() for ratio in self.ratios],
            "conditions": self.conditions,
            "warnings": list(self.warnings),
            "marks": list(self.marks),
        }
