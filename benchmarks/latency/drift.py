"""Latency while another process loads the second core on and off: corrected and plain, against the truth."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.latency.subjects import PROFILE, VARIANT, SecondCore, Settings, minilm, percent
from benchmarks.results import write_results
from compresskit.target.base import Measurement
from compresskit.target.local import LocalTarget

LONG = PROFILE.with_(interval_precision=0.003, min_runs=400, max_seconds=8.0)


def run(settings: Settings) -> None:
    subject = minilm(settings)
    rows: list[dict[str, Any]] = []
    with LocalTarget(PROFILE) as target, SecondCore() as core:
        core.pause()
        for architecture in subject.architectures(settings.times(10), seed=3):
            graph = subject.graph(architecture)

            def measured(profile: Any, graph: Any = graph) -> Measurement:
                target.profile = profile
                return target.measure(graph, session=VARIANT.session)

            before = measured(LONG)
            core.go_on()
            loaded = [measured(PROFILE) for _ in range(3)]
            core.pause()
            after = measured(LONG)
            # The quiet machine drifts as well: its long-run latency is that around the loaded ones.
            truth = float(np.sqrt(before.corrected_median_ms * after.corrected_median_ms))
            plain = float(np.sqrt(before.median_ms * after.median_ms))
            rows += [
                {
                    "signature": architecture.signature,
                    "truth_ms": truth,
                    "plain_truth_ms": plain,
                    "corrected_ms": each.corrected_median_ms,
                    "corrected_ci_ms": each.corrected_ci_ms,
                    "plain_ms": each.median_ms,
                    "corrected_error": abs(each.corrected_median_ms / truth - 1),
                    # Plain timing knows no level: it is compared with plain timing of the quiet machine.
                    "plain_error": abs(each.median_ms / plain - 1),
                    "covered": each.corrected_ci_ms[0] <= truth <= each.corrected_ci_ms[1],
                }
                for each in loaded
            ]
            print(rows[-1], flush=True)
    errors = {
        kind: np.array([row[f"{kind}_error"] for row in rows], dtype=float) for kind in ("plain", "corrected")
    }
    table = [["timing", "mean error", "median", "worst"]]
    for kind, values in errors.items():
        table.append([kind, *(percent(float(f(values))) for f in (np.mean, np.median, np.max))])
    ratio = float(errors["plain"].mean() / errors["corrected"].mean())
    write_results(
        settings.output,
        "drift",
        {
            "plain_over_corrected": ratio,
            "covered": float(np.mean([r["covered"] for r in rows])),
            "rows": rows,
        },
        table,
        f"{len(rows)} measurements of MiniLM-L6 candidates while another process loads the second core for "
        "0.5 to 2.5 s at a time, against long measurements of the quiet machine just before and after: "
        f"correction makes the mean error {ratio:.1f} times smaller.",
    )
