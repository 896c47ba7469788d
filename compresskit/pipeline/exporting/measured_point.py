"""What a run measured of a point, for the engine made from it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from compresskit.runs.directory import RunDirectory


def measured_latency(
    run: RunDirectory, signature: str, precision: str, variant: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Latencies of a point in `variant` and of dense fp32, and the host that they were measured on.

    The keys are `latency_ms`, `latency_ci_ms`, `dense_latency_ms`, `speedup` and `speedup_ci` where the two
    were run side by side, `latency_marks` where the figures are not to be trusted, and for bench the
    reference, its level and the key of the conditions; what was not measured is left out.
    """
    records = {
        (record["signature"], record["precision"], record["variant"]): record for record in run.latencies()
    }
    found: dict[str, Any] = {}
    point = records.get((signature, precision, variant))
    if point is not None:
        found["latency_ms"] = point["corrected_median_ms"]
        found["latency_ci_ms"] = list(point["corrected_ci_ms"])
        found["reference_level_ms"] = point["reference_level_ms"]
        found["conditions"] = point["conditions"].get("key")
        found["reference"] = point["conditions"].get("reference")
        beside = point.get("speedup")
        if beside is not None:
            found |= {"speedup": beside["times"], "speedup_ci": list(beside["ci"])}
        marks = [*point.get("marks", ()), *(() if beside is None else beside["marks"])]
        if marks:
            found["latency_marks"] = list(dict.fromkeys(marks))
    front = run.front()
    dense = None if front.dense is None else records.get((front.dense.signature, "fp32", run.info["variant"]))
    if dense is not None:
        found["dense_latency_ms"] = dense["corrected_median_ms"]
    return found, _host(point or dense)


def _host(record: Mapping[str, Any] | None) -> dict[str, Any]:
    """Facts of the machine without its name: an engine is handed on."""
    host = {} if record is None else record["conditions"]["host"]
    return {key: value for key, value in host.items() if key != "name"}
