"""Which rule chooses points best, by validation data alone.

    python -m benchmarks.choosing --runs RUN [RUN ...]

The trials of finished runs of `nas` are scored on validation rows. Again and again these rows are cut into
two random halves: each rule chooses points on one half, and the area of these points is measured on the
other half. Test rows are not used.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.choosing.rules import MOST, RULES, Networks, halved
from benchmarks.finished import FinishedRun
from benchmarks.results import write_results
from compresskit.supernet.scoring import predict

BASE = "mean"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=Path, nargs="+", required=True)
    parser.add_argument("--halvings", type=int, default=200)
    options = parser.parse_args()
    table = [["task", "rows", *RULES, *(f"{BASE} better than {name}" for name in RULES if name != BASE)]]
    results: dict[str, Any] = {}
    for path in options.runs:
        run = FinishedRun(path, "a comparison of rules for choosing points")
        networks = networks_of(run)
        areas = halved(networks, options.halvings)
        results[run.task.name] = {
            "rows": len(networks.labels),
            "networks": len(networks.speedups),
            "areas": {name: found.tolist() for name, found in areas.items()},
        }
        means = [f"{found.mean():.3f}" for found in areas.values()]
        better = [_compared(areas[BASE], found) for name, found in areas.items() if name != BASE]
        table.append([run.task.name, str(len(networks.labels)), *means, *better])
    write_results(
        Path(__file__).parent,
        "choosing",
        {"halvings": options.halvings, "tasks": results},
        table,
        f"Mean area of at most {MOST} points over {options.halvings} random halvings of the validation rows: "
        "chosen on one half by each rule, scored by their metric on the other. x is the logarithm of the "
        "speed-up, or of the reduction of multiply-accumulates in runs without latency. The last columns say "
        "in how many halvings the mean of metric and fidelity has the larger and the smaller area.",
    )


def networks_of(run: FinishedRun) -> Networks:
    """The trials of `run` and what they answer to its validation rows."""
    task, split = run.task, run.task.validation
    trials = {trial.candidate.architecture: trial for trial in run.run.trials() if trial.metric is not None}
    dense = run.run.front().dense
    assert dense is not None

    def answers(network: Any, architecture: Any = None) -> Any:
        return task.kind.answers(predict(network, task, split, architecture=architecture))

    def cost(measured: Any) -> float:
        return float(measured.latency_ms or measured.macs)

    return Networks(
        task.metric_name,
        np.stack([answers(run.supernet, architecture) for architecture in trials]),
        [cost(dense) / cost(trial) for trial in trials.values()],
        answers(run.dense()),
        split.labels,
        task.train.labels,
    )


def _compared(base: Any, other: Any) -> str:
    return f"{np.mean(base > other):.0%}, worse {np.mean(base < other):.0%}"


if __name__ == "__main__":
    main()
