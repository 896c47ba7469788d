"""The main job on SST-2: search, export dense and four points, bench them, and score on the test split.

    python -m benchmarks.sst2 --model FOLDER --dataset FOLDER --work FOLDER

Every step is a command of the program, run as a user would. A cut-off run goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks.results import write_results
from benchmarks.spent import timed

SPEEDUP = 1.8  # that one point is chosen by


def points(dense_ms: float) -> dict[str, list[str]]:
    """Name of an engine -> how it is chosen, on validation and by the latencies of the search alone."""
    return {
        "dense": ["--dense"],
        "drop-0.5": ["--max-drop", "0.5"],
        f"speed-{SPEEDUP:g}": ["--max-latency-ms", f"{dense_ms / SPEEDUP:.4f}"],
        "drop-1.5": ["--max-drop", "1.5"],
        "drop-2.5": ["--max-drop", "2.5"],
    }


def run(*words: str) -> Any:
    """A command's result; its progress goes to this terminal."""
    done = subprocess.run(
        [sys.executable, "-m", "compresskit", *words, "--json"], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--dataset", required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--trials", default="60")
    parser.add_argument("--epochs", default="2.5")
    parser.add_argument("--batch-size", default="64")
    options = parser.parse_args()
    folder = options.work / "run"
    inputs = ["--model", options.model, "--dataset", options.dataset, "--profile", "cpu-1-thread"]
    training = ["--epochs", options.epochs, "--batch-size", options.batch_size]
    fresh = [*inputs, "--trials", options.trials, *training]
    engines = {}
    with timed(options.work / "seconds.json", "all") as seconds:
        run("search", "--output", str(folder), *(["--resume"] if (folder / "run.json").exists() else fresh))
        dense_ms = json.loads((folder / "pareto.json").read_text())["dense"]["latency_ms"]
        for name, choice in points(dense_ms).items():
            output = options.work / "engines" / name
            if not output.exists():
                run("export", str(folder), *choice, "--output", str(output))
            engines[name] = json.loads((output / "compresskit.json").read_text())
        paths = [str(options.work / "engines" / name) for name in engines]
        bench = run("bench", *paths, "--baseline", paths[0], "--profile", "cpu-1-thread")
    ratios = {Path(ratio["engine"]).name: ratio for ratio in bench["ratios"]}
    rows = [["engine", "keeps", "test accuracy, %", "against dense", "speed-up", "95 %", "MACs"]]
    for name, manifest in engines.items():
        gap = 100 * (manifest["test_metric"] - engines["dense"]["test_metric"])
        ratio = ratios.get(name)
        speed = (
            ["", ""]
            if ratio is None
            else [f"{ratio['speedup']:.2f}", "{:.2f} to {:.2f}".format(*ratio["ci"])]
        )
        macs = f"{manifest['macs'] / engines['dense']['macs']:.3f}"
        rows.append(
            [name, manifest["signature"], f"{100 * manifest['test_metric']:.2f}", f"{gap:+.2f}", *speed, macs]
        )
    write_results(
        Path(__file__).parent,
        "sst2",
        {"minutes": seconds["all"] / 60, "engines": engines, "bench": bench},
        rows,
        "MiniLM-L6 on SST-2, one CPU thread, batch 1, length 128. "
        f"All of it took {seconds['all'] / 60:.0f} minutes. "
        "Points were chosen on validation; accuracy is of the test split, in ONNX Runtime.",
    )


if __name__ == "__main__":
    main()
