"""What int8 adds to engines of finished runs: speed, and metric on the test set.

Engines are exported by the program: dense and pruned, each in fp32, int8 and auto.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.results import write_results
from compresskit.bundle import read_manifest

PROFILE = "cpu-1-thread"


@dataclass(frozen=True)
class Pair:
    """One point in two precisions, and the dense fp32 engine that both are compared with, if known."""

    name: str
    fp32: Path
    int8: Path
    dense: Path | None = None
    auto: Path | None = None


def pairs_of_run(run: Path, work: Path, max_drop: str) -> list[Pair]:
    """Dense and pruned engines of a run, exported below `work` where they are not there yet."""
    name = f"{run.resolve().parent.name}-{run.resolve().name}"
    folder = work / "int8" / name
    points = {"dense": ["--dense"], f"drop-{max_drop}": ["--max-drop", max_drop]}
    made = {
        (point, precision): _exported(
            run, folder / f"{point}-{precision}", [*choice, "--precision", precision]
        )
        for point, choice in points.items()
        for precision in ("fp32", "int8", "auto")
    }
    return [
        Pair(
            f"{name} {point}",
            made[point, "fp32"],
            made[point, "int8"],
            made["dense", "fp32"],
            made[point, "auto"],
        )
        for point in points
    ]


def _exported(run: Path, output: Path, choice: list[str]) -> Path:
    if not output.exists():
        print(f"export {output.name}", file=sys.stderr, flush=True)
        words = ["export", str(run), *choice, "--output", str(output)]
        subprocess.run([sys.executable, "-m", "compresskit", *words], check=True, stdout=sys.stderr)
    return output


def int8(pairs: Sequence[Pair], results: Path) -> None:
    """Measure each pair and both against dense fp32; writes int8.json and .md."""
    table = [["engine", "keeps", "fp32, test", "int8, test", "int8, points", "int8 over fp32", "95 %"]]
    table[0] += ["int8 over dense fp32", "95 %", "points below dense", "auto takes"]
    found: dict[str, Any] = {}
    for pair in pairs:
        fp32, low = read_manifest(pair.fp32), read_manifest(pair.int8)
        ratio = _ratio(pair.int8, pair.fp32)
        entry: dict[str, Any] = {
            "signature": fp32.signature,
            "metric_name": fp32.metric_name,
            "test_metric": {"fp32": fp32.test_metric, "int8": low.test_metric},
            "int8_over_fp32": ratio,
        }
        cells = [pair.name, fp32.signature, _percent(fp32.test_metric), _percent(low.test_metric)]
        cells += [_points(low.test_metric, fp32.test_metric), *_shown(ratio)]
        if pair.dense is None:
            cells += ["", "", ""]
        else:
            entry["int8_over_dense_fp32"] = against = (
                ratio if pair.dense == pair.fp32 else _ratio(pair.int8, pair.dense)
            )
            dense = read_manifest(pair.dense)
            entry["test_metric"]["dense fp32"] = dense.test_metric
            cells += [*_shown(against), _points(low.test_metric, dense.test_metric)]
        if pair.auto is not None:
            auto = read_manifest(pair.auto)
            entry["auto"] = {"precision": auto.precision, "trials": auto.precision_trials}
            cells.append("; ".join([auto.precision, *_reasons(auto.precision_trials)]))
        table.append(cells + [""] * (pair.auto is None))
        found[pair.name] = entry
    notes = (
        "One thread, batch 1, 128 tokens; metrics of the test set, by each engine in ONNX Runtime; ratios of "
        "interleaved comparisons."
    )
    write_results(results, "int8", found, table, notes)


def _ratio(engine: Path, baseline: Path) -> dict[str, Any]:
    """The speed-up of `engine`, from `compresskit bench`."""
    words = ["bench", str(engine), "--baseline", str(baseline), "--profile", PROFILE, "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "compresskit", *words], check=True, stdout=subprocess.PIPE, text=True
    )
    result = json.loads(done.stdout)
    (ratio,) = result["ratios"]
    taken = {Path(item["path"]).name: item["latency_ms"]["p50"] for item in result["engines"]}
    return {
        "speedup": ratio["speedup"],
        "ci": ratio["ci"],
        "milliseconds": taken,
        "warnings": result["warnings"],
    }


def _reasons(trials: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why each other precision was not taken."""
    return [f"not {trial['precision']}: {trial['reason']}" for trial in trials if trial["reason"]]


def _shown(ratio: dict[str, Any]) -> list[str]:
    low, high = ratio["ci"]
    return [f"{ratio['speedup']:.2f}", f"{low:.2f} to {high:.2f}"]


def _percent(metric: float | None) -> str:
    return "" if metric is None else f"{100 * metric:.2f}"


def _points(metric: float | None, against: float | None) -> str:
    return "" if metric is None or against is None else f"{100 * (metric - against):+.2f}"
