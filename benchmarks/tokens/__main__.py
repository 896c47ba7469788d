"""Entities of CoNLL-2003: MiniLM-L6 fine-tuned, searched, exported, and benched on test rows.

    python -m benchmarks.tokens --model FOLDER --dataset FOLDER --work FOLDER

What is made is kept below --work, and a cut-off run goes on where it was. `--share` below 1 trains and
searches less, to try it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.dense import DenseModel, dense_model
from benchmarks.engine.loaders.__main__ import answers_of_optimum
from benchmarks.options import say, task_options
from benchmarks.results import write_results
from benchmarks.speeds import PROFILE, engines_at_speeds
from benchmarks.spent import timed
from compresskit import load_engine
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.supernet.network import SuperNetwork
from compresskit.tasks.task import Task
from compresskit.training.stages import Stage, score

STEPS = 10_560  # on 32 rows: twenty-seven epochs
TRIALS = 60
OPTIMUM = Path(__file__).parent / "entities_optimum.py"
OPTIMUM_ROWS = 500


def main() -> None:
    parser = task_options(__doc__, Path(__file__).parent, "--dataset")
    parser.set_defaults(finetune_epochs=1.0)
    options = parser.parse_args()
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    settings = SearchSettings(str(options.model), str(options.dataset), PROFILE, task="tokens")
    steps = options.share * STEPS
    dense = dense_model(settings, work / "dense-model", steps, say)
    budget = ["--task", "tokens", "--trials", str(round(options.share * TRIALS))]
    budget += ["--epochs", str(options.epochs)] if options.epochs else []
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(
            Path(dense.folder), options.dataset, work, budget, finetune=options.finetune_epochs
        )
    twice = dense_model(settings, work / "dense-model-twice", 2 * steps, say)
    task = read_task(settings, open_checkpoint(dense.folder))
    found = {
        "dense model": _model(dense, task, work),
        "dense model, twice the steps": _model(twice, task, work),
    }
    engines = {name: _engine(folder, task, work) for name, folder in folders.items()}
    value = {"models": found, "engines": engines, "bench": bench}
    value |= {"search_seconds": spent["search"], "finetune_epochs": options.finetune_epochs}
    write_results(options.results, "tokens", value, _table(value), _notes(value, task))


def _model(dense: DenseModel, task: Task, work: Path) -> dict[str, Any]:
    model = SuperNetwork(load_model(Path(dense.folder)))
    return {
        "test_metric": score(model, Stage(task, work / "scored"), task.test),
        "validation_metric": dense.metric,
        "full_steps": dense.full_steps,
        "seconds": dense.seconds,
    }


def _engine(folder: Path, task: Task, work: Path) -> dict[str, Any]:
    """What the manifest holds, and the entities of the first test rows in optimum-onnx against ours."""
    engine = load_engine(folder)
    texts = [" ".join(words) for (words,) in task.test.texts[:OPTIMUM_ROWS]]
    others, versions = answers_of_optimum(OPTIMUM, folder, texts, work)
    own: list[Any] = [
        [[one["entity"], one["start"], one["end"]] for one in row] for row in engine.predict(texts)
    ]
    manifest = engine.manifest
    return {
        "signature": manifest.signature,
        "test_metric": manifest.test_metric,
        "test": manifest.test,
        "num_params": manifest.num_params,
        "macs": manifest.macs,
        "optimum": {
            "versions": dict(versions),
            "rows": len(texts),
            "same_rows": sum(a == b for a, b in zip(own, others, strict=True)),
        },
    }


def _table(value: dict[str, Any]) -> list[list[str]]:
    head = ["model or engine", "keeps", "test entity F1, %", "of dense, %", "95 %", "speed-up", "95 %"]
    table = [[*head, "same entities in optimum-onnx"]]
    for name, row in value["models"].items():
        table.append([name, "", f"{100 * row['test_metric']:.2f}", "", "", "", "", ""])
    dense = value["engines"]["dense"]["test_metric"]
    ratios = {Path(ratio["engine"]).name: ratio for ratio in value["bench"]["ratios"]}
    for name, row in value["engines"].items():
        kept, speed = ["100", ""], ["1", ""]
        if name in ratios:
            ends = [100 * (1 + end / dense) for end in row["test"]["difference_ci"]]
            kept = [f"{100 * row['test_metric'] / dense:.1f}", "{:.1f} to {:.1f}".format(*ends)]
            speed = [f"{ratios[name]['speedup']:.2f}", "{:.2f} to {:.2f}".format(*ratios[name]["ci"])]
        same = f"{row['optimum']['same_rows']} of {row['optimum']['rows']} rows"
        f1 = f"{100 * row['test_metric']:.2f}"
        table.append([f"engine {name}", row["signature"], f1, *kept, *speed, same])
    return table


def _notes(value: dict[str, Any], task: Task) -> str:
    once, twice = value["models"].values()
    versions = value["engines"]["dense"]["optimum"]["versions"]
    return (
        f"MiniLM-L6 on CoNLL-2003, one CPU thread, 128 tokens. The dense model was fine-tuned for "
        f"{once['full_steps']:.0f} steps of 32 rows ({once['seconds'] / 60:.0f} minutes; twice as many give "
        f"{100 * (twice['test_metric'] - once['test_metric']):+.2f} points), then the search, "
        f"fine-tuning of each point (epochs: {value['finetune_epochs']:g}) and the exports took "
        f"{value['search_seconds'] / 60:.0f} minutes. Points were chosen on validation; F1 is of the "
        f"{len(task.test)} test rows, that of engines in ONNX Runtime, intervals are paired over rows. "
        f"optimum-onnx {versions['optimum-onnx']} with transformers {versions['transformers']} read the "
        f"first {OPTIMUM_ROWS} test rows as texts."
    )


if __name__ == "__main__":
    main()
