"""An embedding model, searched on unlabelled texts, chosen by agreement, and judged once.

    python -m benchmarks.tasks.embedding --model FOLDER --rival FOLDER --data FOLDER --work FOLDER

`--data` holds the data sets of `benchmarks.tasks.texts`, and those that judge. `--rival`: a smaller public
model of the same kind. What is made is kept below --work, and a cut-off run goes on where it was.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.options import task_options
from benchmarks.results import write_results
from benchmarks.speeds import engines_at_speeds
from benchmarks.spent import timed
from benchmarks.sst2.__main__ import run
from benchmarks.tasks.judging import encoder_of, kept, static_encoder
from benchmarks.tasks.texts import write_texts

PROFILE = str(Path(__file__).parent / "cpu-32-tokens.toml")
TRIALS = 60


def main() -> None:
    parser = task_options(__doc__, Path(__file__).parent)
    parser.set_defaults(epochs=3.0, finetune_epochs=0.5)
    parser.add_argument("--rival", type=Path)
    parser.add_argument("--batch-size", default="64")
    parser.add_argument("--parts", default="4")
    parser.add_argument("--name", default="embedding")
    options = parser.parse_args()
    work: Path = options.work
    texts = work / "texts" / "train.jsonl"
    if not texts.exists():
        write_texts(options.data, texts)
    training = [
        "--task",
        "embedding",
        "--epochs",
        str(options.share * options.epochs),
        "--batch-size",
        options.batch_size,
    ]
    training += ["--parts", options.parts]
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(
            options.model,
            texts.parent,
            work,
            [*training, "--trials", str(max(round(options.share * TRIALS), 2))],
            PROFILE,
            finetune=options.finetune_epochs,
        )
    if options.rival:
        folders["rival"] = _dense_engine(options.rival, texts.parent, work / "rival")
        bench = run(
            "bench", *map(str, folders.values()), "--baseline", str(folders["dense"]), "--profile", PROFILE
        )
    encoders = {name: encoder_of(folder) for name, folder in folders.items()}
    encoders["static"] = static_encoder(options.model, options.data, work)
    scores, shares = kept(options.data, encoders, "dense")
    manifests = {name: json.loads((path / "compresskit.json").read_text()) for name, path in folders.items()}
    value = {
        "engines": {name: _facts(manifest) for name, manifest in manifests.items()},
        "scores": scores,
        "shares": shares,
        "bench": bench,
        "search_seconds": spent["search"],
        "finetune_epochs": options.finetune_epochs,
        "texts": sum(1 for _ in texts.open()),
    }
    write_results(options.results, options.name, value, _table(value), _notes(value))


def _dense_engine(model: Path, dataset: Path, work: Path) -> Path:
    """The engine of a model as it is; one trial of a search that trains almost nothing is the way to it."""
    folder, engine = work / "run", work / "engine"
    if not engine.exists():
        least = [
            "--task",
            "embedding",
            "--pooling",
            "mean",
            "--method",
            "retraining-free",
            "--trials",
            "1",
            "--force",
        ]
        run("search", "--model", str(model), "--dataset", str(dataset), "--profile", PROFILE, *least,
            "--output", str(folder))  # fmt: skip
        run("export", str(folder), "--dense", "--output", str(engine))
    return engine


def _facts(manifest: dict[str, Any]) -> dict[str, Any]:
    names = ("signature", "variant", "num_params", "macs", "metric_name", "test_metric", "test")
    return {name: manifest[name] for name in names}


def _table(value: dict[str, Any]) -> list[list[str]]:
    ratios = {Path(ratio["engine"]).name: ratio for ratio in value["bench"]["ratios"]}
    names = list(next(iter(value["scores"].values())))
    rows = [["engine", "keeps", "speed-up", "agreement", *names, "mean kept, %", "95 %"]]
    for name, each in value["scores"].items():
        ratio = ratios.get(name if name != "rival" else "engine")
        low, high = value["shares"][name]["share_ci"]
        engine = value["engines"].get(name, {"signature": "model2vec, 256 numbers", "test_metric": None})
        agreement = "" if engine["test_metric"] is None else f"{engine['test_metric']:.4f}"
        speed = (
            ("1" if name == "dense" else "")
            if ratio is None
            else "{:.2f} ({:.2f} to {:.2f})".format(ratio["speedup"], *ratio["ci"])
        )
        rows.append(
            [
                name,
                engine["signature"],
                speed,
                agreement,
                *(f"{100 * each[judge]:.2f}" for judge in names),
                f"{100 * value['shares'][name]['share']:.2f}",
                f"{100 * low:.2f} to {100 * high:.2f}",
            ]
        )
    return rows


def _notes(value: dict[str, Any]) -> str:
    return (
        f"Trained on {value['texts']:,} unlabelled texts, none of them in a judging set; points were chosen "
        "by agreement with the dense model on validation texts. Judges, once: Spearman's correlation x 100 "
        "of pairs, nDCG@10 x 100 of cranfield, by the engines' vectors in ONNX Runtime. The share is of the "
        "mean over the judges, with a paired interval over groups of rows. Search, "
        f"{value['finetune_epochs']:g} epochs of fine-tuning of each point and exports took "
        f"{value['search_seconds'] / 60:.0f} minutes. Profile: one text of 32 tokens, one thread."
    )


if __name__ == "__main__":
    main()
