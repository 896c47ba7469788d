"""Data sets with labels: a model fine-tuned, searched, and its engines judged once on test rows.

    python -m benchmarks.tasks.labelled qa --model FOLDER --data FOLDER --work FOLDER

`--data` holds the data sets. What is made is kept below --work, and a cut-off run goes on where it was.
`--twice` fine-tunes the dense model for twice the steps too, which tells whether it is done learning.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, NamedTuple

from benchmarks.dense import DenseModel, dense_model
from benchmarks.options import say, task_options
from benchmarks.results import write_results
from benchmarks.speeds import engines_at_speeds
from benchmarks.spent import timed
from benchmarks.tasks.pairs import write_pairs
from benchmarks.tasks.shares import judge, table
from compresskit.bundle import read_manifest
from compresskit.pipeline.benching.data import read_for
from compresskit.pipeline.benching.score import score_engine
from compresskit.pipeline.inputs import read_task
from compresskit.pipeline.settings import SearchSettings
from compresskit.pipeline.training.models import load_model, open_checkpoint
from compresskit.supernet.network import SuperNetwork
from compresskit.supernet.scoring import predict
from compresskit.target.profile import load_profile
from compresskit.tasks.examples import DataOptions
from compresskit.tasks.task import Task

HERE = Path(__file__).parent


class DataSet(NamedTuple):
    """A folder of --data, made into another one by `make`, and what is spent on it.

    `max_length`: None where rows are no texts. `steps`: of 32 rows, and `learning_rate`, of the dense model;
    `epochs` of the super-network.
    """

    title: str
    task: str
    folder: str
    metrics: tuple[str, ...]
    profile: str
    steps: int
    epochs: float
    trials: int
    batch_size: int = 32
    max_length: int | None = 128
    learning_rate: float | None = None
    make: Callable[[Path, Path], None] | None = None
    model: str = "MiniLM-L6"


SHORT = "cpu-32-tokens.toml"
SETS = {
    "qa": DataSet(
        title="2,910 questions of SQuAD, a question and its context in windows of 192 tokens",
        task="qa",
        folder="squad_small",
        metrics=("f1", "exact_match"),
        profile="cpu-192-tokens.toml",
        steps=460,
        epochs=5.0,
        trials=40,
        batch_size=16,
        max_length=192,
    ),
    "commonsense_qa": DataSet(
        title="CommonsenseQA, five choices of 32 tokens a question",
        task="choice",
        folder="commonsense_qa",
        metrics=("accuracy",),
        profile=SHORT,
        steps=120,
        epochs=0.6,
        trials=30,
        batch_size=16,
    ),
    "openbookqa": DataSet(
        title="OpenBookQA, four choices of 32 tokens a question, without its book of facts",
        task="choice",
        folder="openbookqa",
        metrics=("accuracy",),
        profile=SHORT,
        steps=120,
        epochs=1.2,
        trials=30,
        batch_size=16,
    ),
    "labels": DataSet(
        title="two utterances of CLINC150 in a text of 32 tokens, whose intents are both to be found",
        task="labels",
        folder="clinc150",
        metrics=("micro_f1", "macro_f1"),
        profile=SHORT,
        steps=700,
        epochs=3.0,
        trials=30,
        learning_rate=4e-4,
        make=write_pairs,
    ),
    "hymenoptera": DataSet(
        title="hymenoptera, ants and bees, images of 126 by 126",
        task="image",
        folder="hymenoptera",
        metrics=("accuracy",),
        profile="cpu-1-thread",
        steps=60,
        epochs=12.0,
        trials=30,
        max_length=None,
        model="DINOv2 small",
    ),
    "cifar10_small": DataSet(
        title="3,000 images of CIFAR-10, enlarged to 126 by 126",
        task="image",
        folder="cifar10_small",
        metrics=("accuracy",),
        profile="cpu-1-thread",
        steps=400,
        epochs=4.0,
        trials=40,
        max_length=None,
        model="DINOv2 small",
    ),
}


def profile_of(wanted: DataSet) -> str:
    """A file beside this one, or a built-in profile."""
    return str(HERE / wanted.profile) if wanted.profile.endswith(".toml") else wanted.profile


def main() -> None:
    parser = task_options(__doc__, HERE)
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--twice", action="store_true")
    options = parser.parse_args()
    wanted, work = SETS[options.set], options.work
    dataset: Path = options.data / wanted.folder
    if wanted.make is not None:
        made = work / "dataset"
        if not made.exists():
            wanted.make(dataset, made.with_suffix(".part"))
            made.with_suffix(".part").rename(made)
        dataset = made
    profile = profile_of(wanted)
    settings = SearchSettings(
        options.model,
        dataset,
        profile,
        task=wanted.task,
        max_length=wanted.max_length,
        batch_size=wanted.batch_size,
        learning_rate=wanted.learning_rate,
    )
    steps = options.share * wanted.steps
    dense = dense_model(settings, work / "dense-model", steps, say)
    budget = {
        "task": wanted.task,
        "max-length": wanted.max_length,
        "batch-size": wanted.batch_size,
        "epochs": options.epochs or options.share * wanted.epochs,
        "trials": max(round(options.share * wanted.trials), 2),
    }
    given = {name: value for name, value in budget.items() if value is not None}
    words = [word for name, value in given.items() for word in (f"--{name}", str(value))]
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(
            Path(dense.folder), dataset, work, words, profile, finetune=options.finetune_epochs
        )
    manifests = {name: read_manifest(folder) for name, folder in folders.items()}
    (test,) = read_for([manifests["dense"].kind], dataset, DataOptions()).of
    assert test is not None
    answers = {
        name: score_engine(folder, manifests[name], test, load_profile(profile)).answers
        for name, folder in folders.items()
    }
    kinds = [replace(manifests["dense"].kind, metric_name=metric) for metric in wanted.metrics]
    judged = judge(kinds, test, answers)
    task = read_task(settings, open_checkpoint(settings.model))
    twice = {}
    if options.twice:
        more = dense_model(settings, work / "dense-model-twice", 2 * steps, say)
        twice = {"once": _tested(dense, task), "twice": _tested(more, task)}
    value = {
        "dense": asdict(dense),
        "twice": twice,
        "engines": {
            name: {
                "signature": each.signature,
                "num_params": each.num_params,
                "macs": each.macs,
                **judged[name],
            }
            for name, each in manifests.items()
        },
        "prior": {kind.metric_name: kind.prior(task.train.labels, test.labels) for kind in kinds},
        "rows": {"train": len(task.train.labels), "test": len(test)},
        "epochs": budget["epochs"],
        "finetune_epochs": options.finetune_epochs,
        "bench": bench,
        "search_seconds": spent["search"],
    }
    rows = table(value["engines"], bench, wanted.metrics)
    write_results(options.results, options.set, value, rows, _notes(wanted, value))


def _tested(dense: DenseModel, task: Task) -> dict[str, float]:
    model = SuperNetwork(load_model(Path(dense.folder)))
    chosen = task.fitted(predict(model, task, task.validation), task.validation.labels)
    return {"test_metric": chosen.score(predict(model, task, task.test), task.test.labels), **asdict(dense)}


def _notes(wanted: DataSet, value: dict[str, Any]) -> str:
    dense, engine = value["dense"], value["engines"]["dense"]
    found = ", ".join(
        f"{name} {100 * engine[name]['score']:.2f} ({{:.2f}} to {{:.2f}})".format(
            *(100 * end for end in engine[name]["score_ci"])
        )
        + f" where the majority baseline has {100 * prior:.2f}"
        for name, prior in value["prior"].items()
    )
    twice = ""
    if value["twice"]:
        once, more = value["twice"]["once"]["test_metric"], value["twice"]["twice"]["test_metric"]
        twice = f"; twice as many give {100 * (more - once):+.2f} points of {wanted.metrics[0]}"
    return (
        f"{wanted.model} on {wanted.title}; one CPU thread. {value['rows']['train']:,} rows train, points "
        f"were chosen on others. The dense model was fine-tuned for {dense['full_steps']:.0f} steps of 32 "
        f"rows ({dense['seconds'] / 60:.0f} minutes{twice}). The search, {value['epochs']:g} epochs of the "
        f"super-network, {value['finetune_epochs']:g} of each point and the exports took "
        f"{value['search_seconds'] / 60:.0f} minutes. Judged once, on {value['rows']['test']:,} test rows by "
        f"the engines in ONNX Runtime; intervals of what is kept are paired over rows. Dense engine, x 100: "
        f"{found}."
    )


if __name__ == "__main__":
    main()
