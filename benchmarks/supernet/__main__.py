"""A finished run's super-network: what its search cost beside its training, and how random sub-networks do.

python -m benchmarks.supernet --run RUN
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np

from benchmarks.finished import FinishedRun
from benchmarks.recipe.scored import drawn
from benchmarks.results import write_results
from compresskit.runs.jsonl import read_records
from compresskit.training.stages import score

COUNT = 20
SHARES = (1 / 3, 1 / 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    finished = FinishedRun(options.run, "a look at the super-network")
    task, trials = finished.task, finished.run.trials()
    progress, _ = read_records(finished.run.supernet / "progress.jsonl")
    last = {line["stage"]: line["seconds"] for line in progress if line["stage"].startswith("supernet")}
    trained = sum(last.values())
    searched = sum(trial.seconds for trial in trials)
    chosen = drawn(finished.space(), COUNT, finished.settings.seed, SHARES)
    with finished.stage() as stage:
        scores = {kept.signature: score(finished.supernet, stage, task.test, kept) for kept in chosen}
    prior = task.prior(task.test)
    middle = float(np.median(list(scores.values())))
    found = {
        "trials": len(trials),
        "search_seconds": searched,
        "supernet_seconds": trained,
        "share": searched / trained,
        "prior": prior,
        "random": scores,
        "random_median": middle,
    }
    table = [
        ["what", "found"],
        [f"search of {len(trials)} architectures, scored and measured", f"{searched:.0f} s"],
        ["training of the super-network", f"{trained:.0f} s"],
        ["search, of that training", f"{100 * searched / trained:.0f} %"],
        ["prior", f"{100 * prior:.2f} %"],
        [f"median of {COUNT} random architectures of a third to half", f"{100 * middle:.2f} %"],
        [
            "the worst and the best of them",
            f"{100 * min(scores.values()):.2f}, {100 * max(scores.values()):.2f} %",
        ],
    ]
    notes = (
        f"{task.name}, {task.metric_name} on test rows, by weights as the super-network holds them: "
        "without fine-tuning."
    )
    write_results(Path(__file__).parent, task.name, found, table, notes)


if __name__ == "__main__":
    main()
