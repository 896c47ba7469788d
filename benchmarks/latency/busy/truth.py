"""The truth: all graphs in one process, in interleaved bursts with warm caches, the machine being quiet.

    python -m benchmarks.latency.busy.truth WORK FILE ROUNDS

Knows nothing of references, corrections and marks. A burst follows untimed runs that warm the caches; a
graph's speed-up is the dense graph's burst over its own, round by round, their median in each process. What
differs between processes (where memory lies) is part of what a measurement cannot know. What neighbours on
the same host hold in shared caches changes the truth within minutes, so that of a step is taken in a process
just before it and in another just after it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.latency.busy.graphs import Graphs
from benchmarks.latency.subjects import PROFILE, VARIANT
from compresskit.target.inputs import make_inputs
from compresskit.target.load import foreign_cores, load_now
from compresskit.target.session import make_session, session_spec

_WARM_SECONDS, _BURST_SECONDS = 0.03, 0.06


def take(work: Path, path: Path, rounds: int) -> None:
    """In a process of its own."""
    command = [sys.executable, "-m", "benchmarks.latency.busy.truth", str(work), str(path), str(rounds)]
    subprocess.run(command, check=True)


def truth_files(work: Path, step: str) -> tuple[Path, Path]:
    """Taken just before and just after the step."""
    return work / f"{step}.truth-before.json", work / f"{step}.truth-after.json"


def true_speedups(*taken: Path) -> tuple[list[float], list[float]]:
    """Of each architecture the speed-up over all processes of these files, and its spread between them.

    The spread is the standard deviation of the logarithm.
    """
    logs = np.log([json.loads(path.read_text())["speedups"] for path in taken])
    return np.exp(logs.mean(axis=0)).tolist(), logs.std(axis=0, ddof=1).tolist()


def most_moved(before: Path, after: Path) -> float:
    """By how much the speed-up of one architecture differs between two processes, at most; a logarithm."""
    logs = np.log([json.loads(path.read_text())["speedups"] for path in (before, after)])
    return float(np.abs(logs[1] - logs[0]).max())


def most_foreign_cores(*taken: Path) -> float:
    """How many cores others kept busy while the truth was taken, in the worst process."""
    return max(json.loads(path.read_text())["foreign_cores"] or 0.0 for path in taken)


def one_process(work: Path, rounds: int, seed: int) -> dict[str, Any]:
    """Burst medians in ms, (rounds, graphs), and the speed-ups from them."""
    running = []
    for file in Graphs.read(work).files:
        spec = session_spec(file, PROFILE, VARIANT.session)
        running.append((make_session(file, spec), make_inputs(spec.feeds)))
    rng = np.random.default_rng(seed)
    bursts = np.zeros((rounds, len(running)))
    before = load_now(())
    for number in range(rounds):
        for index in rng.permutation(len(running)):
            session, inputs = running[index]
            _run_for(_WARM_SECONDS, session, inputs, least=2)
            bursts[number, index] = np.median(_run_for(_BURST_SECONDS, session, inputs, least=5))
    ratios = np.log(bursts[:, :1] / bursts[:, 1:])
    return {
        "bursts_ms": bursts.tolist(),
        "speedups": np.exp(np.median(ratios, axis=0)).tolist(),
        "foreign_cores": foreign_cores(before, load_now(())),
    }


def _run_for(seconds: float, session: Any, inputs: Any, least: int) -> list[float]:
    """Milliseconds of each run, until so many seconds have passed."""
    found: list[float] = []
    begun = now = time.perf_counter()
    while len(found) < least or now - begun < seconds:
        before = now
        session.run(None, inputs)
        now = time.perf_counter()
        found.append((now - before) * 1e3)
    return found


def main() -> None:
    work, path, rounds = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    path.write_text(json.dumps(one_process(work, rounds, seed=int(time.time()))) + "\n")


if __name__ == "__main__":
    main()
