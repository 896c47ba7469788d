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
from benchmarks.latency.busy.truth import true_speedups

# How far the limit lies from the truth, either side.
NEAREST, FARTHEST = 0.04, 0.10
_PROFILE = "cpu-1-thread"


def run(condition: str, work: Path, path: Path, tries: int) -> None:
    """Tries are appended to a file beside `path` one by one, so that a run which was cut off goes on."""
    files = Graphs.read(work).files
    truth, _ = true_speedups(work / "truth-before.json", work / "truth-after.json")
    log = path.with_suffix(".jsonl")
    done = len(log.read_text().splitlines()) if log.exists() else 0
    rng = np.random.default_rng(4)
    drawn = [(int(rng.integers(len(truth))), float(rng.uniform(NEAREST, FARTHEST))) for _ in range(tries)]
    with under(condition):
        for number in range(done, tries):
            index, away = drawn[number]
            limit = truth[index] * (1 + away if number % 2 else 1 - away)
            found = _bench(files[0], files[index + 1], limit)
            found |= {"architecture": index, "truth": truth[index], "limit": limit}
            with log.open("a") as lines:
                lines.write(json.dumps(found) + "\n")
    path.write_text(json.dumps({"tries": list(map(json.loads, log.read_text().splitlines()))}) + "\n")


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
