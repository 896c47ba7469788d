"""Ten architectures of a run: the latency that search recorded against the one bench finds on engines.

They are of the front, and other trials where the front has fewer.

    python -m benchmarks.agreement --run RUN --work FOLDER

Search measured slices of one exported graph, one after another; bench measures exported engines side by
side in fresh processes. Both correct to one state of the machine, the
raw median of bench stands beside it. Both are commands of the program. A cut-off run goes on where it was.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.results import write_results
from benchmarks.sst2.__main__ import run
from compresskit.runs.directory import RunDirectory
from compresskit.runs.records import FrontPoint, TrialRecord

COUNT = 10
Point = FrontPoint | TrialRecord


def chosen(source: RunDirectory, count: int) -> list[Point]:
    """`count` architectures of different shapes, fastest first: of the front, then of what else was tried."""
    points = {point.signature: point for point in source.front().points}
    others = {record.signature: record for record in source.trials() if record.is_completed}
    front = _spread(list(points.values()), count)
    rest = _spread([other for shape, other in others.items() if shape not in points], count - len(front))
    return sorted([*front, *rest], key=_latency_ms)


def _spread(found: Sequence[Point], count: int) -> list[Point]:
    """At most `count`, evenly spaced in rank of latency."""
    ordered = sorted(found, key=_latency_ms)
    places = np.linspace(0, len(ordered) - 1, min(count, len(ordered))).round().astype(int)
    return [ordered[place] for place in places]


def _latency_ms(point: Point) -> float:
    return point.latency_ms or 0.0


def ranks(values: list[float]) -> Any:
    return np.argsort(np.argsort(values))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    options = parser.parse_args()
    records = chosen(RunDirectory.open(options.run), COUNT)
    folders = {}
    for record in records:
        folders[record.trial_id] = options.work / f"trial-{record.trial_id}"
        if not folders[record.trial_id].exists():
            trial = str(record.trial_id)
            run("export", str(options.run), "--trial", trial, "--output", str(folders[record.trial_id]))
    bench = run("bench", *map(str, folders.values()))
    found = {item["path"]: item["latency_ms"] for item in bench["engines"]}
    recorded = [record.latency_ms or float("nan") for record in records]
    benched = [found[str(folders[record.trial_id])]["corrected"] for record in records]
    raw = [found[str(folders[record.trial_id])]["p50"] for record in records]
    away = [b / a - 1 for a, b in zip(recorded, benched, strict=True)]
    spearman = float(np.corrcoef(ranks(recorded), ranks(benched))[0, 1])
    rows = [["trial", "keeps", "search, ms", "bench, ms", "apart", "bench raw, ms"]]
    for record, a, b, gap, p50 in zip(records, recorded, benched, away, raw, strict=True):
        figures = [f"{a:.3f}", f"{b:.3f}", f"{100 * gap:+.1f} %", f"{p50:.3f}"]
        rows.append([str(record.trial_id), record.signature, *figures])
    worst = max(abs(gap) for gap in away)
    results = {
        "spearman": spearman,
        "worst": worst,
        "recorded_ms": recorded,
        "benched_ms": benched,
        "benched_raw_ms": raw,
        "bench": bench,
    }
    notes = f"Largest gap {100 * worst:.1f} %, Spearman's rank correlation {spearman:.3f}."
    write_results(Path(__file__).parent, "agreement", results, rows, notes)


if __name__ == "__main__":
    main()
