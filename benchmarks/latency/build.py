"""How long a candidate takes from architecture to session, sliced and exported again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.subjects import (
    PROFILE,
    VARIANT,
    Settings,
    Subject,
    bert_base,
    export_anew,
    minilm,
    percent,
)
from benchmarks.results import write_results
from compresskit.architecture import Architecture
from compresskit.target.external_weights import LightGraph
from compresskit.target.session import make_session, session_spec
from compresskit.target.staging import Staging

LIMITS_S = {"MiniLM-L6": 0.25, "BERT-base": 0.8}


def run(settings: Settings) -> None:
    found = {}
    makers: list[Callable[[], Subject]] = [lambda: minilm(settings), bert_base]
    for make in makers:
        subject = make()
        found[subject.name] = measured(subject, settings)
    rows = [
        [
            "model",
            "candidates",
            "median, s",
            "longest, s",
            "limit, s",
            "dense, s",
            "exported again, s",
            "times",
        ]
    ]
    for name, each in found.items():
        rows.append(
            [
                name,
                str(len(each["sliced_s"])),
                f"{each['median_s']:.3f}",
                f"{max(each['sliced_s']):.3f}",
                f"{LIMITS_S[name]:g}",
                f"{each['dense_s']:.3f}",
                f"{each['exported_median_s']:.2f}",
                f"{each['exported_median_s'] / each['median_s']:.0f}",
            ]
        )
    write_results(
        settings.output,
        "build",
        {"models": found, "variant": VARIANT.name},
        rows,
        "From an architecture to an ONNX Runtime session, one thread: cut from the one exported graph, "
        "rewritten and staged; against extraction, torch.onnx.export (dynamo, dynamic shapes), a file and "
        f"its session. Candidates are drawn from space medium; spread of the former: "
        f"{', '.join(percent(float(np.std(f['sliced_s']) / f['median_s']), 0) for f in found.values())}.",
    )


def measured(subject: Subject, settings: Settings) -> dict[str, Any]:
    chosen = subject.architectures(settings.times(12))
    full = subject.slicer.full
    staging = Staging()
    try:
        build(subject, full, staging)  # the first finds cold caches, as the first of a search does
        dense_s = float(np.median([sum(build(subject, full, staging).values()) for _ in range(3)]))
        steps = [build(subject, architecture, staging) for architecture in chosen]
    finally:
        staging.close()
    exported_s = [
        export_and_load(subject, architecture, settings.work) for architecture in (full, *chosen[:2])
    ]
    sliced_s = [sum(step.values()) for step in steps]
    return {
        "sliced_s": sliced_s,
        "median_s": float(np.median(sliced_s)),
        "steps_median_s": {name: float(np.median([step[name] for step in steps])) for name in steps[0]},
        "dense_s": dense_s,
        "exported_s": exported_s,
        "exported_median_s": float(np.median(exported_s)),
        "signatures": [architecture.signature for architecture in chosen],
    }


def build(subject: Subject, architecture: Architecture, staging: Staging) -> dict[str, float]:
    """Seconds of each step."""
    ticks = [time.perf_counter()]
    graph = subject.slicer.slice_light(architecture)
    ticks.append(time.perf_counter())
    graph = LightGraph(VARIANT.apply(graph.model), graph.weights)
    ticks.append(time.perf_counter())
    path = staging.put(graph)
    ticks.append(time.perf_counter())
    make_session(path, session_spec(path, PROFILE, VARIANT.session))
    ticks.append(time.perf_counter())
    return dict(zip(("slice", "rewrite", "stage", "session"), np.diff(ticks).tolist(), strict=True))


def export_and_load(subject: Subject, architecture: Architecture, folder: Path) -> float:
    path = folder / "exported.onnx"
    start = time.perf_counter()
    export_anew(subject, architecture, path)
    make_session(path, session_spec(path, PROFILE))
    return time.perf_counter() - start
