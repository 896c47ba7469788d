"""What a search measures: each candidate alone, then the front beside the dense model.

python -m benchmarks.latency.busy.measure WORK FILE CONDITION
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.latency.busy.graphs import Graphs
from benchmarks.latency.subjects import PROFILE, VARIANT
from compresskit.pipeline.latency import FIRST_LOOK
from compresskit.target.base import SessionSettings
from compresskit.target.compare import EngineToMeasure, compare
from compresskit.target.local import LocalTarget
from compresskit.target.profile import Profile

Found = tuple[float, tuple[float, float], tuple[str, ...]]


def measure_front(
    graphs: Sequence[Path], sessions: Sequence[SessionSettings], profile: Profile
) -> list[Found]:
    """Speed-up over `graphs[0]`, 95 % interval and marks of each other one, as a search ends with them."""
    engines = [
        EngineToMeasure(file.stem, file, session) for file, session in zip(graphs, sessions, strict=True)
    ]
    found = compare(engines, profile, engines[0].name)
    return [(ratio.speedup, ratio.ci, (*found.marks, *ratio.marks)) for ratio in found.ratios]


def measure_candidates(
    graphs: Sequence[Path], sessions: Sequence[SessionSettings], profile: Profile
) -> list[dict[str, Any]]:
    """Each graph alone, as a search tells its searcher: latency at the reference's level, and the time."""
    found = []
    with LocalTarget(profile) as target:
        for file, session in zip(graphs, sessions, strict=True):
            start = time.monotonic()
            measured = target.measure(file, session=session, seconds=FIRST_LOOK * profile.max_seconds)
            found.append(
                {
                    "seconds": time.monotonic() - start,
                    "latency_ms": measured.corrected_median_ms,
                    "ci_ms": measured.corrected_ci_ms,
                    "raw_ms": measured.median_ms,
                    "warnings": measured.warnings,
                }
            )
    return found


def main() -> None:
    work, path, condition = Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    graphs = Graphs.read(work)
    sessions = [VARIANT.session] * len(graphs.files)
    start = time.monotonic()
    candidates = measure_candidates(graphs.files, sessions, PROFILE)
    middle = time.monotonic()
    front = measure_front(graphs.files, sessions, PROFILE)
    value = {
        "condition": condition,
        "signatures": graphs.signatures,
        "candidates": candidates,
        "candidates_seconds": middle - start,
        "front": [{"speedup": speedup, "ci": ends, "marks": marks} for speedup, ends, marks in front],
        "front_seconds": time.monotonic() - middle,
    }
    path.write_text(json.dumps(value) + "\n")


if __name__ == "__main__":
    main()
