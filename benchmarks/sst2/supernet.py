"""A finished run's super-network: what its search cost beside its training, and how random sub-networks do.

python -m benchmarks.sst2.supernet --run RUN
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import numpy as np

from benchmarks.recipe.cell import drawn
from benchmarks.results import write_results
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.models import load_model, open_checkpoint
from compresskit.pipeline.reuse import stored_settings
from compresskit.runs.directory import RunDirectory
from compresskit.runs.jsonl import read_records
from compresskit.spaces import make_space
from compresskit.supernet.network import SuperNetwork
from compresskit.training.stages import Stage, score

COUNT = 20
SHARES = (1 / 3, 1 / 2)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--run", type=Path, required=True)
    options = parser.parse_args()
    run = RunDirectory.open(options.run)
    settings = stored_settings(run, {}, (), "a look at the super-network")
    checkpoint = open_checkpoint(settings.model)
    task = read_task(settings, checkpoint)
    progress, _ = read_records(run.supernet / "progress.jsonl")
    trained = max(line["seconds"] for line in progress if line["stage"] == "supernet")
    trials = run.trials()
    searched = sum(trial.seconds for trial in trials)
    supernet = SuperNetwork(load_model(run.supernet / "model"))
    space = make_space(
        settings.space,
        supernet.blueprint.dims,
        layer_policy=settings.layer_policy,
        unit_multiple=settings.unit_multiple,
    )
    chosen = drawn(space, COUNT, settings.seed, SHARES)
    with tempfile.TemporaryDirectory() as folder:
        stage = Stage(task, checkpoint.tokenizer.pad_token_id, Path(folder), lambda _: None)
        scores = {kept.signature: score(supernet, stage, task.test, kept) for kept in chosen}
    prior = task.prior(task.test)
    middle = float(np.median(list(scores.values())))
    found = {
        "trials": len(trials),
        "search_seconds": searched,
        "supernet_seconds": trained,
        "share": searched / trained,
        "majority": prior,
        "random": scores,
        "random_median": middle,
    }
    table = [
        ["what", "found"],
        [f"search of {len(trials)} architectures, scored and measured", f"{searched:.0f} s"],
        ["training of the super-network", f"{trained:.0f} s"],
        ["search, of that training", f"{100 * searched / trained:.0f} %"],
        ["majority class", f"{100 * prior:.2f} %"],
        [f"median of {COUNT} random architectures of a third to half", f"{100 * middle:.2f} %"],
        [
            "the worst and the best of them",
            f"{100 * min(scores.values()):.2f}, {100 * max(scores.values()):.2f} %",
        ],
    ]
    notes = "Accuracy of the test split, by weights as the super-network holds them, without fine-tuning."
    write_results(Path(__file__).parent, "supernet", found, table, notes)


if __name__ == "__main__":
    main()
