"""`bench --fail-if` near its limit: what it decides, and whether that is right."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.busy.graphs import Graphs
from benchmarks.latency.busy.loads import under
from benchmarks.latency.busy.truth import take, true_speedups, truth_files

# How far the limit lies from the truth, either side.
NEAREST, FARTHEST = 0.04, 0.10
_PROFILE = "cpu-1-thread"
_GROUP = 10


def run(condition: str, work: Path, path: Path, tries: int, rounds: int) -> None:
    """Tries in groups, the truth before and after each; groups that a cut-off run has done are left out.

    A limit is set by the truth before its group, and judged by the mean of that and the truth after it.
    """
    files = Graphs.read(work).files
    rng = np.random.default_rng(4)
    done: list[dict[str, Any]] = []
    for start in range(0, tries, _GROUP):
        group = path.with_suffix(f".{start}.json")
        numbers = range(start, min(start + _GROUP, tries))
        drawn = [(int(rng.integers(len(files) - 1)), float(rng.uniform(NEAREST, FARTHEST))) for _ in numbers]
        if not group.exists():
            _group(condition, work, group, files, dict(zip(numbers, drawn, strict=True)), rounds)
        done += json.loads(group.read_text())
    path.write_text(json.dumps({"tries": done}) + "\n")


def _group(
    condition: str,
    work: Path,
    path: Path,
    files: tuple[Path, ...],
    drawn: dict[int, tuple[int, float]],
    rounds: int,
) -> None:
    before, after = truth_files(work, path.stem)
    take(work, before, rounds)
    truth, _ = true_speedups(before, before)
    found = []
    with under(condition):
        for number, (index, away) in drawn.items():
            limit = truth[index] * (1 + away if number % 2 else 1 - away)
            found.append(_bench(files[0], files[index + 1], limit) | {"architecture": index, "limit": limit})
    take(work, after, rounds)
    mean, _ = true_speedups(before, after)
    path.write_text(json.dumps([each | {"truth": mean[each["architecture"]]} for each in found]) + "\n")


def verdicts(tries: list[dict[str, Any]]) -> dict[str, int]:
    """How many were decided, how many of them wrongly, each way."""
    found = {"tries": len(tries), "decided": 0, "false passes": 0, "false fails": 0}
    for each in tries:
        too_slow = each["truth"] < each["limit"]
        found["decided"] += each["exit"] in (0, 3)
        found["false passes"] += each["exit"] == 0 and too_slow
        found["false fails"] += each["exit"] == 3 and not too_slow
    return found


def _bench(dense: Path, pruned: Path, limit: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "compresskit", "bench", str(dense), str(pruned), "--json"]
    command += ["--baseline", str(dense), "--profile", _PROFILE, "--fail-if", f"speedup < {limit:.5f}"]
    start = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode not in (0, 3, 4):
        raise SystemExit(f"bench failed: {done.stderr}")
    result = json.loads(done.stdout)
    (ratio,) = result["ratios"]
    return {
        "exit": done.returncode,
        "seconds": time.monotonic() - start,
        "speedup": ratio["speedup"],
        "ci": ratio["ci"],
        "marks": [*result["marks"], *ratio["marks"]],
    }
