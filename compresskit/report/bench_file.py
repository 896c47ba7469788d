"""A result that `compresskit bench` wrote, read from a file that may be damaged."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from compresskit.errors import RunError
from compresskit.runs.fields import Fields, read_object

_REMEDY = "Write one by `compresskit bench --report`."


@dataclass(frozen=True)
class _Result:
    engines: list[dict[str, Any]]
    ratios: list[dict[str, Any]]
    profile: dict[str, Any] | None
    conditions: dict[str, Any] | None
    warnings: list[str] | None
    changes: list[str] | None
    marks: list[str]


@dataclass(frozen=True)
class _Engine:
    path: str
    is_baseline: bool
    latency_ms: dict[str, Any]
    samples: int | None
    throughput_per_s: float | None
    first_run_ms: float | None
    peak_memory_bytes: int | None
    size_bytes: int | None
    metric: float | None
    metric_name: str | None
    rows: int | None
    metric_ci: tuple[float, float] | None
    difference_ci: tuple[float, float] | None
    num_params: int | None
    macs: int | None
    precision: str | None
    signature: str | None
    sha256: str | None
    marks: list[str]


@dataclass(frozen=True)
class _Latency:
    p50: float
    p95: float | None
    p99: float | None
    ci: tuple[float, float]
    recorded: float | None
    corrected: float | None
    p95_ci: tuple[float, float] | None
    p99_ci: tuple[float, float] | None
    corrected_ci: tuple[float, float] | None


@dataclass(frozen=True)
class _Ratio:
    engine: str
    baseline: str
    speedup: float
    ci: tuple[float, float]
    marks: list[str]


def read_bench(path: Path) -> Fields:
    """A result written by `compresskit bench`. Raises RunError when it is no such file."""
    value = read_object(path, _Result, _REMEDY)
    if "engines" not in value:
        raise RunError(f"{path} is not a result of `compresskit bench`: it lists no engines. {_REMEDY}")
    check_bench(value)
    return value


def check_bench(value: Fields) -> None:
    """Raise RunError for what is missing or of another type in the engines and ratios of a result."""
    value.check(_Result)
    for engine in value["engines"]:
        engine.check(_Engine)
        engine["path"], engine["latency_ms"].check(_Latency)
        engine["latency_ms"]["p50"], engine["latency_ms"]["ci"]
    for ratio in value.get("ratios", ()):
        ratio.check(_Ratio)
        ratio["engine"], ratio["baseline"], ratio["speedup"], ratio["ci"]
