"""A small finished run, made by hand: what report tests read."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from compresskit.architecture import Architecture, Dimensions
from compresskit.runs import Front, FrontPoint, RunDirectory, TrialRecord

DIMS = Dimensions(num_layers=4, num_heads=4, head_size=8, num_units=64, hidden_size=32)
FULL = Architecture.full(DIMS)
HALF = Architecture.uniform(DIMS, [0, 3], 2, 32)
UNEVEN = Architecture.of_counts(DIMS, [(4, 64), (0, 7), (0, 0), (1, 0)])


def point(
    idx: int | None,
    latency_ms: float | None,
    metric: float | None,
    architecture: Architecture = HALF,
    *,
    half_width: float = 0.05,
    metric_name: str = "accuracy",
    lost: tuple[float, float] | None = None,
    rows: int | None = 2_000,
    **others: Any,
) -> FrontPoint:
    """A point whose interval is its latency plus and minus `half_width` ms.

    `lost`: the interval of what it loses against the dense model of `dense()`, in points; by default half a
    point less and more than it does. Without `rows` it is as of a run that knows no intervals.
    """
    known: dict[str, Any] = {}
    if rows is not None:
        known["rows"] = rows
        if metric is not None:
            known["metric_ci"] = (metric - 0.015, metric + 0.015)
            ends = lost or (90 - 100 * metric - 0.5, 90 - 100 * metric + 0.5)
            known["difference_ci"] = None if idx is None else (-ends[1] / 100, -ends[0] / 100)
    interval = None if latency_ms is None else (latency_ms - half_width, latency_ms + half_width)
    return FrontPoint(
        idx=idx,
        trial_id=idx,
        architecture=architecture.to_json(),
        precision="fp32",
        signature=architecture.signature,
        metric=metric,
        metric_name=metric_name,
        latency_ms=latency_ms,
        latency_ci_ms=interval,
        num_params=12_345_678,
        macs=987_654,
        **known,
        **others,
    )


def dense(latency_ms: float | None = 10.0, metric: float | None = 0.9, **others: Any) -> FrontPoint:
    return point(None, latency_ms, metric, FULL, **others)


def front(*points: FrontPoint, whole: FrontPoint | None = None) -> Front:
    return Front(("metric", "latency_ms"), points, whole)


def trial(number: int, *, metric: float | None = 0.8, error: str | None = None) -> TrialRecord:
    return TrialRecord(
        trial_id=number,
        config=None,
        architecture=HALF.to_json(),
        precision="fp32",
        signature=HALF.signature,
        metric=None if error else metric,
        latency_ms=None if error else 4.0 + number / 10,
        latency_ci_ms=None,
        num_params=1000,
        macs=2000,
        size_bytes=None,
        status="failed" if error else "completed",
        error=error,
        seconds=1.5,
    )


def write_run(path: Path, *, model: str = "some/model", status: str = "completed", error: str = "") -> Path:
    """A run of three trials, one of them failed where `error` is given, with curves and latencies."""
    settings = {"model": model, "dataset": "sst2", "profile": {"name": "cpu-1-thread", "threads": 1}}
    with RunDirectory.create(path, {**settings, "space": "small", "seed": 0}) as run:
        for number in range(3):
            run.append_trial(trial(number, error=error or None if number == 2 else None))
        for number, warning in enumerate(("the clock is throttled", "the clock is throttled", "")):
            run.append_latency(
                {
                    "key": str(number),
                    "signature": HALF.signature,
                    "precision": "fp32",
                    "corrected_median_ms": 4.0,
                    "median_ms": 5.0,
                    "predicted_ms": 4.0 + number,
                    "warnings": [warning] if warning else [],
                    "conditions": {"cpu": "A <fast> chip", "threads": 1, "session": {"options": {}}},
                }
            )
        run.write_front(front(point(0, 4.0, 0.895), point(1, 6.0, 0.899, UNEVEN), whole=dense()))
        run.supernet.mkdir()
        rows = [
            ("dense", 10, 0.7, None, 11.0),
            ("dense", 20, 0.4, 0.8, 22.0),
            ("dense", 20, 0.3, 0.9, 7.0),  # resumed
            ("supernet", 5, 1.0, 0.5, 9.0),
        ]
        lines = [
            json.dumps({"stage": s, "step": n, "of": 20, "loss": loss, "metric": m, "seconds": t})
            for s, n, loss, m, t in rows
        ]
        (run.supernet / "progress.jsonl").write_text("\n".join(lines) + '\n{"stage": "supern')
        run.update(status=status, notes=["7 rows were dropped."])
    return path


def bench_result(*, speedup: tuple[float, float, float] = (1.98, 2.0, 2.02), **others: Any) -> dict[str, Any]:
    """A bench of a dense engine and a pruned one; `speedup` is (low, ratio, high)."""
    low, ratio, high = speedup

    def engine(path: str, median: float, is_baseline: bool, architecture: Architecture) -> dict[str, Any]:
        return {
            "path": path,
            "is_baseline": is_baseline,
            "latency_ms": {
                "p50": median,
                "p95": median * 1.1,
                "p99": None,
                "ci": [median - 0.1, median + 0.1],
            },
            "samples": 100,
            "throughput_per_s": 1000 / median,
            "peak_memory_bytes": None,
            "size_bytes": 90_900_000,
            "metric": 0.91,
            "metric_name": "accuracy",
            "precision": "fp32",
            "signature": architecture.signature,
            "sha256": "0" * 64,
            "marks": [],
        }

    return {
        "engines": [engine("e/dense", 10.0, True, FULL), engine("e/pruned", 10.0 / ratio, False, HALF)],
        "ratios": [
            {"engine": "e/pruned", "baseline": "e/dense", "speedup": ratio, "ci": [low, high], "marks": []}
        ],
        "profile": {"name": "cpu-1-thread", "key": "k"},
        "conditions": {"onnxruntime": "1.31.1"},
        "warnings": ["e/dense: noisy <b>"],
        "changes": [],
        "marks": [],
        **others,
    }
