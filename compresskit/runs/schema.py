"""Which types the values of a run's files have. None of the keys has to be there in every run."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any


def utc_now() -> str:
    """The moment as a run's files have it: ISO 8601, in UTC, to the second."""
    return datetime.now(timezone.utc).isoformat(timespec="seconds")


@dataclass(frozen=True)
class RunInfo:
    """run.json."""

    version: Any  # checked before anything else
    status: str
    settings: dict[str, Any]
    taken_from: str | None
    started_from: str
    warm_start: dict[str, Any] | None
    blueprint: dict[str, Any]
    dense_metric: float
    dense_search_metric: float
    metric_name: str
    notes: list[str]
    variant: str
    variants: dict[str, str]
    full_steps: dict[str, float]
    scores: list[dict[str, Any]]
    start: dict[str, Any]
    block_products: dict[str, Any]
    infeasible: str | None
    unsteady: str | None
    fingerprints: dict[str, Any] | None
    prior_metric: float | None
    labels: list[str]
    judges: dict[str, str] | None
    started: str
    ended: str
    pruned: str


@dataclass(frozen=True)
class RunFingerprints:
    """`fingerprints` of run.json."""

    data: str
    model: str | None
    versions: dict[str, str]


@dataclass(frozen=True)
class RunSettings:
    """`settings` of run.json, as far as they are looked at before they are settings of a search again."""

    profile: dict[str, Any]
    method: str


@dataclass(frozen=True)
class RunBlueprint:
    """`blueprint` of run.json, as far as other runs look at it."""

    model_type: str
    dims: dict[str, int]


@dataclass(frozen=True)
class LatencyLine:
    """A line of latencies.jsonl: the measurement, and what of."""

    key: str
    signature: str
    precision: str
    variant: str
    profile: str
    predicted_ms: float | None
    predicted_error: float | None
    size_bytes: int
    seconds: float | None
    samples_ms: list[float]
    reference_samples_ms: list[float]
    median_ms: float
    ci_ms: tuple[float, float]
    corrected_median_ms: float
    corrected_ci_ms: tuple[float, float]
    reference_level_ms: float | None
    rounds_ms: list[tuple[float, float, float]]
    common_error: float
    wall_median_ms: float | None
    marks: list[str]
    warnings: list[str]
    conditions: dict[str, Any]
    speedup: dict[str, Any] | None
    looks: list[dict[str, Any]]


@dataclass(frozen=True)
class LatencyConditions:
    """`conditions` of such a line, as far as they are read."""

    reference: str | None
    key: str | None
    host: dict[str, Any]
    onnxruntime: str


@dataclass(frozen=True)
class SpeedUpFields:
    """`speedup` of such a line, and each of its `looks`."""

    times: float
    ci: tuple[float, float]
    marks: list[str]


@dataclass(frozen=True)
class ProgressLine:
    """A line of supernet/progress.jsonl."""

    stage: str
    step: int
    of: int
    seconds: float
    seconds_left: float
    loss: float | None
    metric: float | None
    full_steps: float | None
