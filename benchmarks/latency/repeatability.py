"""The same architectures measured by two processes, one after the other."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from benchmarks.latency.subjects import PROFILE, VARIANT, Settings, minilm, percent, spearman
from benchmarks.results import write_results
from compresskit.target.local import LocalTarget


def run(settings: Settings) -> None:
    subject = minilm(settings)
    graphs = settings.work / "graphs"
    graphs.mkdir(exist_ok=True)
    chosen = subject.architectures(settings.times(20), seed=2)
    for number, architecture in enumerate(chosen):
        (graphs / f"{number:02}.onnx").write_bytes(subject.graph(architecture).whole().SerializeToString())
    results = []
    for _ in range(2):
        command = [sys.executable, "-m", "benchmarks.latency.repeatability", str(graphs), str(len(chosen))]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        results.append(json.loads(done.stdout))
    first, second = ([row["corrected_median_ms"] for row in rows] for rows in results)
    differences = np.abs(np.array(second) / np.array(first) - 1)
    plain = np.abs(np.array([b["median_ms"] / a["median_ms"] - 1 for a, b in zip(*results, strict=True)]))
    rank = spearman(first, second)
    rows = [
        ["", "median difference", "worst", "Spearman"],
        [
            "corrected",
            percent(float(np.median(differences))),
            percent(float(differences.max())),
            f"{rank:.4f}",
        ],
        ["plain medians", percent(float(np.median(plain))), percent(float(plain.max())), ""],
        ["asked for", "1.5 %", "5 %", "0.99"],
    ]
    write_results(
        settings.output,
        "repeatability",
        {"first": results[0], "second": results[1], "spearman": rank, "differences": differences.tolist()},
        rows,
        f"{len(chosen)} architectures of MiniLM-L6, measured by two processes that share nothing but the "
        f"reference's level; {np.mean([row['seconds'] for rows in results for row in rows]):.2f} s each.",
    )


def measure_all(folder: Path, number: int) -> None:
    import time

    found = []
    with LocalTarget(PROFILE, baselines=folder / "baselines.json") as target:
        for path in sorted(folder.glob("*.onnx"))[:number]:
            start = time.monotonic()
            measured = target.measure(path, session=VARIANT.session)
            found.append(
                {
                    "corrected_median_ms": measured.corrected_median_ms,
                    "median_ms": measured.median_ms,
                    "half_width": measured.half_width,
                    "seconds": time.monotonic() - start,
                }
            )
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    measure_all(Path(sys.argv[1]), int(sys.argv[2]))
