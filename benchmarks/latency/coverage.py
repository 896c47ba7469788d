"""How often the 95 % interval of a latency holds the long-run median, adaptive stopping included."""

from __future__ import annotations

import time
from contextlib import ExitStack
from typing import Any

import numpy as np

from benchmarks.latency.subjects import PROFILE, VARIANT, SecondCore, Settings, minilm, percent
from benchmarks.results import write_results
from compresskit.architecture import Architecture
from compresskit.target.local import LocalTarget

REPETITIONS = 200
# Between the measurements that are tested; as long whatever it finds.
OUTSIDE = PROFILE.with_(interval_precision=1e-4, max_seconds=0.6)


def run(settings: Settings) -> None:
    _run(settings, "coverage", loaded=False)


def run_loaded(settings: Settings) -> None:
    _run(settings, "coverage_loaded", loaded=True)


def _run(settings: Settings, name: str, *, loaded: bool) -> None:
    subject = minilm(settings)
    small = Architecture.uniform(subject.slicer.blueprint.dims, [0, 5], 3, 256)
    graph = subject.graph(small)
    rows: list[dict[str, Any]] = []
    candidate: list[float] = []
    reference: list[float] = []
    with ExitStack() as stack:
        target = stack.enter_context(LocalTarget(PROFILE))
        core = stack.enter_context(SecondCore()) if loaded else None
        if core is not None:
            core.pause()
        target.measure(graph, session=VARIANT.session)
        for number in range(settings.times(REPETITIONS, 12)):
            if core is not None:
                core.go_on()
            target.profile = PROFILE
            start = time.monotonic()
            tested = target.measure(graph, session=VARIANT.session)
            seconds = time.monotonic() - start
            if core is not None:
                core.pause()
            target.profile = OUTSIDE
            outside = target.measure(graph, session=VARIANT.session)
            candidate += outside.samples_ms
            reference += outside.reference_samples_ms
            assert tested.reference_level_ms is not None
            rows.append(
                {
                    "corrected_ms": tested.corrected_median_ms,
                    "corrected_ci_ms": tested.corrected_ci_ms,
                    "outside_ms": outside.corrected_median_ms,
                    "level_ms": tested.reference_level_ms,
                    "half_width": tested.half_width,
                    "runs": len(tested.samples_ms),
                    "seconds": seconds,
                }
            )
            if number % 20 == 19:
                print(f"{number + 1}: {covered(rows, pooled(rows)):.3f}", flush=True)
    # Two ways to the long-run latency at the level, from what lies between the tested measurements.
    by_medians = rows[0]["level_ms"] * float(np.median(candidate) / np.median(reference))
    truths = {"median of corrected": pooled(rows), "ratio of pooled medians": by_medians}
    table = [["long-run latency at the level", "ms", "intervals that hold it"]]
    for kind, truth in truths.items():
        table.append([kind, f"{truth:.4f}", f"{percent(covered(rows, truth), 1)} of {len(rows)}"])
    when = "while another process loads the second core on and off" if loaded else "on the machine as it is"
    write_results(
        settings.output,
        name,
        {
            "coverage": {kind: covered(rows, truth) for kind, truth in truths.items()},
            "truth_ms": truths,
            "median_half_width": float(np.median([row["half_width"] for row in rows])),
            "median_seconds": float(np.median([row["seconds"] for row in rows])),
            "rows": rows,
        },
        table,
        f"{len(rows)} adaptive measurements of a small MiniLM-L6 candidate (2 layers, 3 heads, 256 units) "
        f"{when}, nominal 95 %; the long-run latency is that of quiet measurements in between. Median "
        f"half-width {percent(float(np.median([row['half_width'] for row in rows])))}, "
        f"{np.median([row['seconds'] for row in rows]):.2f} s each.",
    )


def pooled(rows: list[dict[str, Any]]) -> float:
    return float(np.median([row["outside_ms"] for row in rows]))


def covered(rows: list[dict[str, Any]], truth: float) -> float:
    return float(np.mean([row["corrected_ci_ms"][0] <= truth <= row["corrected_ci_ms"][1] for row in rows]))
