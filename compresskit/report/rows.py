"""Columns and cells of the two tables that every format shows: the front, and a bench result."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compresskit.architecture import Architecture
from compresskit.report.bench_text import describe_ratio, engine_names, marks_of, ratio_of
from compresskit.report.layers import shorten
from compresskit.report.units import (
    NOTHING,
    count,
    interval,
    marked,
    metric_label,
    milliseconds,
    number,
    points,
    signed_points,
    size,
    times,
)
from compresskit.report.verdict import drop, speedup
from compresskit.runs import Front, FrontPoint


def front_rows(front: Front) -> tuple[list[str], list[tuple[FrontPoint, list[str]]]]:
    """Titles, and the cells of each point, fastest first, the dense model last."""
    shown = [*front.points, *([front.dense] if front.dense else [])]
    head = ["point", "latency, ms", "95 %", "speed-up", metric_label(shown[0].metric_name if shown else None)]
    compared = any(point.fidelity is not None for point in shown)
    head += ["against dense", *(["fidelity"] if compared else []), "parameters", "MACs", "precision", "keeps"]
    return head, [(point, _front_cells(point, front.dense, compared)) for point in shown]


def bench_rows(result: Mapping[str, Any]) -> tuple[list[str], list[tuple[Mapping[str, Any], list[str]]]]:
    """Titles, and the cells of each engine in the order they were given."""
    scored = [engine for engine in result["engines"] if engine.get("metric") is not None]
    head = ["engine", "median, ms", "95 %", "p95, ms", "p99, ms", "against baseline", "texts/s"]
    head += ["peak memory", "file size"] + ([metric_label(scored[0].get("metric_name"))] if scored else [])
    rows = []
    for engine, name in zip(result["engines"], engine_names(result), strict=True):
        cells = [name, *_bench_cells(result, engine)]
        rows.append((engine, [*cells, points(engine.get("metric"))] if scored else cells))
    return head, rows


def _front_cells(point: FrontPoint, dense: FrontPoint | None, compared: bool) -> list[str]:
    is_dense = point.idx is None
    lost = None if is_dense else drop(point, dense)
    return [
        "dense" if is_dense else str(point.idx),
        milliseconds(point.latency_ms).removesuffix(" ms"),
        interval(point.latency_ci_ms),
        times(None if is_dense else speedup(point, dense)),
        points(point.metric),
        signed_points(None if lost is None else -lost),
        *([points(point.fidelity)] if compared else []),
        count(point.num_params),
        count(point.macs),
        point.precision,
        shorten(Architecture.from_json(point.architecture)),
    ]


def _bench_cells(result: Mapping[str, Any], engine: Mapping[str, Any]) -> list[str]:
    latency, ratio = engine["latency_ms"], ratio_of(result, engine["path"])
    marks = marks_of(result, engine)
    against = "baseline" if engine.get("is_baseline") else NOTHING
    if ratio:
        against = describe_ratio(ratio, marks_of(result, ratio))
    return [
        marked(number(latency["p50"]), marks),
        interval(latency.get("ci")),
        *(
            NOTHING if latency.get(key) is None else marked(number(latency[key]), marks)
            for key in ("p95", "p99")
        ),
        against,
        NOTHING if engine.get("throughput_per_s") is None else number(engine["throughput_per_s"]),
        size(engine.get("peak_memory_bytes")),
        size(engine.get("size_bytes")),
    ]
