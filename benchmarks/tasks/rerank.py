"""A reranker: fine-tuned on labelled pairs, searched without labels, and judged once by MRR@10.

    python -m benchmarks.tasks.rerank --model FOLDER --data FOLDER --work FOLDER

`--data` holds qnli_split and wikiqa. What is made is kept below --work, and a cut-off run goes on where it
was. `--share` below 1 trains and searches less, to try it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.dense import dense_model
from benchmarks.options import say, task_options
from benchmarks.results import write_results
from benchmarks.speeds import engines_at_speeds
from benchmarks.spent import timed
from benchmarks.tasks.ranked import write_labelled, write_unlabelled
from benchmarks.tasks.shares import judge, table
from compresskit import load_engine
from compresskit.data.files import read_table
from compresskit.pipeline.settings import SearchSettings
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.ranked import Ranked, varied
from compresskit.tasks.ranking import MRR, NDCG
from compresskit.tasks.rerank import Rerank

PROFILE = str(Path(__file__).parent / "cpu-list-30.toml")
STEPS = 1500  # on 32 rows
TRIALS = 60
METRICS = (MRR, NDCG)


def main() -> None:
    options = task_options(__doc__, Path(__file__).parent).parse_args()
    work: Path = options.work
    labelled, unlabelled = work / "labelled", work / "unlabelled"
    if not (unlabelled / "train.jsonl").exists():
        write_labelled(options.data, labelled, options.share)
        write_unlabelled(options.data, unlabelled, options.share)
    settings = SearchSettings(str(options.model), str(labelled), PROFILE, task="rerank")
    dense = dense_model(settings, work / "dense-model", options.share * STEPS, say)
    budget = ["--task", "rerank", "--trials", str(max(round(options.share * TRIALS), 2))]
    budget += ["--epochs", str(options.epochs)] if options.epochs else []
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(
            Path(dense.folder), unlabelled, work, budget, PROFILE, finetune=options.finetune_epochs
        )
    test = Rerank((), MRR).read_test(
        read_table([options.data / "wikiqa" / "test.parquet"]), "test", "wikiqa", DataOptions()
    )
    kinds = [Ranked((), metric) for metric in METRICS]
    judged = judge(kinds, test, {name: _answers(folder, test) for name, folder in folders.items()})
    manifests = {name: load_engine(folder).manifest for name, folder in folders.items()}
    value = {
        "dense": {"full_steps": dense.full_steps, "seconds": dense.seconds, "validation": dense.metric},
        "engines": {
            name: {"signature": each.signature, "agreement": each.test_metric, **judged[name]}
            for name, each in manifests.items()
        },
        "bench": bench,
        "search_seconds": spent["search"],
        "finetune_epochs": options.finetune_epochs,
        "queries": int(varied(test.labels)[0].sum()),
        "prior": {kind.metric_name: kind.prior(test.labels, test.labels) for kind in kinds},
    }
    rows = table(value["engines"], bench, METRICS, further=["agreement"])
    write_results(options.results, "rerank", value, rows, _notes(value))


def _answers(engine: Path, test: Examples) -> npt.NDArray[Any]:
    scores = load_engine(engine).predict(test.inputs)
    return Ranked((), MRR).answers(np.column_stack([test.labels[:, 0], scores]))


def _notes(value: dict[str, Any]) -> str:
    dense = value["dense"]
    return (
        f"A cross-encoder, fine-tuned for {dense['full_steps']:.0f} steps of 32 rows "
        f"({dense['seconds'] / 60:.0f} minutes), then searched without labels, each point fine-tuned for "
        f"{value['finetune_epochs']:g} epochs ({value['search_seconds'] / 60:.0f} minutes): its own scores "
        "teach, and points were chosen by agreement with its rankings (dense_ndcg@10). Profile: a list of 30 "
        f"pairs of 64 tokens, one thread. Judged once, on the {value['queries']} test queries of wikiqa that "
        "have a relevant passage and another, by the engines' scores in ONNX Runtime; ties count as the mean "
        "of their orders. In random "
        f"order: MRR@10 x 100 is {100 * value['prior'][MRR]:.2f}. Intervals are paired over queries."
    )


if __name__ == "__main__":
    main()
