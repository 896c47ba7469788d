"""Forty new architectures: sliced and sampled adaptively, against exported again and run 100 times each."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.subjects import PROFILE, VARIANT, Settings, Subject, export_anew, minilm, percent
from benchmarks.results import write_results
from compresskit.architecture import Architecture
from compresskit.target.inputs import make_inputs
from compresskit.target.local import LocalTarget
from compresskit.target.session import make_session, session_spec
from compresskit.target.statistics import median_interval

RUNS = 100
MIN_RUNS = 12  # the profile's 60 serve its 95th percentile, which is not compared here


def run(settings: Settings) -> None:
    subject = minilm(settings)
    rows: list[dict[str, Any]] = []
    with LocalTarget(PROFILE) as target:
        target.measure(subject.graph(subject.slicer.full))  # takes the reference's level, once a search
        for architecture in subject.architectures(settings.times(40), seed=1):
            other = plain(subject, architecture, settings.work)
            # The same half-width is asked for, so that neither is quicker by being less sure: what 100 plain
            # runs usually reach, since one interval of theirs is narrow or wide by luck.
            widths_so_far = [row["plain"]["half_width"] for row in rows] + [other["half_width"]]
            target.profile = PROFILE.with_(
                interval_precision=float(np.median(widths_so_far)), min_runs=MIN_RUNS
            )
            own = sampled(subject, architecture, target)
            rows.append({"signature": architecture.signature, "plain": other, "sampled": own})
            print(f"{len(rows)}: {other['seconds']:.2f} s against {own['seconds']:.2f} s", flush=True)
    plain_s, sampled_s = (sum(row[kind]["seconds"] for row in rows) for kind in ("plain", "sampled"))
    widths = {
        kind: float(np.median([row[kind]["half_width"] for row in rows])) for kind in ("plain", "sampled")
    }
    table = [["way", "seconds in all", "seconds each (median)", "half-width (median)"]]
    for kind, name in (("plain", "export again, run 100 times"), ("sampled", "slice, sample adaptively")):
        each = float(np.median([row[kind]["seconds"] for row in rows]))
        table.append(
            [name, f"{sum(row[kind]['seconds'] for row in rows):.1f}", f"{each:.2f}", percent(widths[kind])]
        )
    in_all = float(np.median([row["sampled"]["half_width_in_all"] for row in rows]))
    write_results(
        settings.output,
        "forty",
        {
            "times_faster": plain_s / sampled_s,
            "median_half_width": widths,
            "rows": rows,
        },
        table,
        f"{len(rows)} architectures of MiniLM-L6, turn about in one process: {plain_s / sampled_s:.1f} times "
        "faster. The median half-width of the plain runs so far is what adaptive sampling is asked for. Both "
        "are 95 % intervals of the median that allow for correlated runs, without what differs from one "
        f"measurement to the next, with which the interval that the target reports is {percent(in_all)}.",
    )


def plain(subject: Subject, architecture: Architecture, folder: Path) -> dict[str, Any]:
    """Seconds and half-width of an export, its session, a short warm-up and 100 runs."""
    path = folder / "exported.onnx"
    start = time.perf_counter()
    export_anew(subject, architecture, path)
    spec = session_spec(path, PROFILE)
    session, inputs = make_session(path, spec), make_inputs(spec.feeds)
    for _ in range(PROFILE.warmup_runs):
        session.run(None, inputs)
    ticks = [time.perf_counter()]
    for _ in range(RUNS):
        session.run(None, inputs)
        ticks.append(time.perf_counter())
    median, low, high = median_interval(np.array_split(np.diff(ticks) * 1e3, 20))
    return {
        "seconds": ticks[-1] - start,
        "median_ms": median,
        "half_width": (high - low) / 2 / median,
    }


def sampled(subject: Subject, architecture: Architecture, target: LocalTarget) -> dict[str, Any]:
    start = time.perf_counter()
    found = target.measure(subject.graph(architecture), session=VARIANT.session)
    return {
        "seconds": time.perf_counter() - start,
        "median_ms": found.corrected_median_ms,
        # As a plain interval, without what differs from one measurement to the next.
        "half_width": found.conditions["sampling_half_width"],
        "half_width_in_all": found.half_width,
        "runs": len(found.samples_ms),
    }
