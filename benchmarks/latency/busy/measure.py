"""What a search does to learn latencies: each candidate alone, and then the front beside the dense model.

    python -m benchmarks.latency.busy.measure MODEL WORK FILE CONDITION

Runs with an earlier version too, whose front is its second look, to tell what that took.
"""

from __future__ import annotations

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.latency.busy.graphs import Graphs
from benchmarks.latency.subjects import PROFILE, VARIANT, Settings, minilm
from compresskit.architecture import Candidate
from compresskit.pipeline.evaluation.latency import LatencyMeter
from compresskit.runs import RunDirectory
from compresskit.target.local import LocalTarget


def measured_front(meter: Any, candidates: list[Candidate], dense: Candidate) -> list[dict[str, Any]]:
    """Speed-up over the dense model, 95 % interval and marks of each, as pareto.json has them."""
    try:
        from compresskit.pipeline.evaluation.pairing import DensePairs
    except ImportError:
        return _second_look(meter, candidates, dense)
    meter.settle()
    pairs, found = DensePairs(meter), []
    for candidate in candidates:
        macs = _macs(meter, dense) / _macs(meter, candidate)
        speedup = pairs.latency(candidate, macs).speedup
        assert speedup is not None
        found.append({"speedup": speedup.times, "ci": speedup.ci, "marks": speedup.marks})
    return found


def _second_look(meter: Any, candidates: list[Candidate], dense: Candidate) -> list[dict[str, Any]]:
    """Of a version without paired speed-ups."""
    points = [meter.measure_again(candidate) for candidate in candidates]
    of_dense = meter.measure_again(dense)
    meter.moved_to(dense)
    return [{"speedup": of_dense.median_ms / point.median_ms, "ci": [0, 0], "marks": []} for point in points]


def _macs(meter: Any, candidate: Candidate) -> int:
    macs: int = meter.slicer.blueprint.macs(candidate.architecture, PROFILE.length, PROFILE.batch)
    return macs


def main() -> None:
    model, work, path = (Path(argument) for argument in sys.argv[1:4])
    graphs = Graphs.read(work)
    subject = minilm(Settings(model, work, work, 1.0))
    dense, *candidates = map(Candidate, graphs.architectures)
    with (
        tempfile.TemporaryDirectory() as folder,
        RunDirectory.create(Path(folder) / "run", {}) as run,
    ):
        start = time.monotonic()
        with LocalTarget(PROFILE) as target:
            meter = LatencyMeter(run, target, PROFILE, subject.slicer, VARIANT)
            alone = [_timed(meter, candidate) for candidate in (dense, *candidates)]
            middle = time.monotonic()
            front = measured_front(meter, candidates, dense)
            end = time.monotonic()
    value = {
        "condition": sys.argv[4],
        "signatures": graphs.signatures,
        "candidates": alone,
        "candidates_seconds": middle - start,
        "front": front,
        "front_seconds": end - middle,
    }
    path.write_text(json.dumps(value) + "\n")


def _timed(meter: LatencyMeter, candidate: Candidate) -> dict[str, Any]:
    start = time.monotonic()
    found = meter.measure(candidate)
    return {"seconds": time.monotonic() - start, "latency_ms": found.median_ms, "ci_ms": found.ci_ms}


if __name__ == "__main__":
    main()
