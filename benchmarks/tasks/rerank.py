"""A reranker: fine-tuned on labelled pairs, searched without labels, and judged once by MRR@10.

    python -m benchmarks.tasks.rerank --model FOLDER --data FOLDER --work FOLDER

`--data` holds qnli_split and wikiqa. What is made is kept below --work, and a cut-off run goes on where it
was. `--share` below 1 trains and searches less, to try it.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from benchmarks.dense import dense_model
from benchmarks.results import write_results
from benchmarks.speeds import engines_at_speeds
from benchmarks.spent import timed
from benchmarks.tasks.ranked import write_labelled, write_unlabelled
from compresskit import load_engine
from compresskit.data.files import read_table
from compresskit.pipeline.settings import SearchSettings
from compresskit.tasks.examples import DataOptions, Examples
from compresskit.tasks.intervals import intervals, row_groups
from compresskit.tasks.ranked import Ranked, varied
from compresskit.tasks.ranking import MRR, NDCG
from compresskit.tasks.rerank import Rerank

PROFILE = str(Path(__file__).parent / "cpu-list-30.toml")
STEPS = 1500  # on 32 rows
TRIALS = 60
METRICS = (MRR, NDCG)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--share", type=float, default=1.0)
    parser.add_argument("--epochs", help="of the super-network, else the program's default")
    parser.add_argument("--results", type=Path, default=Path(__file__).parent)
    options = parser.parse_args()
    work: Path = options.work
    labelled, unlabelled = work / "labelled", work / "unlabelled"
    if not (unlabelled / "train.jsonl").exists():
        write_labelled(options.data, labelled, options.share)
        write_unlabelled(options.data, unlabelled, options.share)
    settings = SearchSettings(str(options.model), str(labelled), PROFILE, task="rerank")
    dense = dense_model(settings, work / "dense-model", options.share * STEPS, _say)
    budget = ["--task", "rerank", "--trials", str(max(round(options.share * TRIALS), 2))]
    budget += ["--epochs", options.epochs] if options.epochs else []
    with timed(work / "seconds.json", "search") as spent:
        folders, bench = engines_at_speeds(Path(dense.folder), unlabelled, work, budget, PROFILE)
    test = Rerank((), MRR).read_test(
        read_table([options.data / "wikiqa" / "test.parquet"]), "test", "wikiqa", DataOptions()
    )
    judged = judge(test, {name: _predictions(folder, test) for name, folder in folders.items()})
    manifests = {name: load_engine(folder).manifest for name, folder in folders.items()}
    value = {
        "dense": {"full_steps": dense.full_steps, "seconds": dense.seconds, "validation": dense.metric},
        "engines": {
            name: {"signature": each.signature, "agreement": each.test_metric, **judged[name]}
            for name, each in manifests.items()
        },
        "bench": bench,
        "search_seconds": spent["search"],
        "queries": int(varied(test.labels)[0].sum()),
        "prior": {name: Ranked((), name).prior(test.labels, test.labels) for name in METRICS},
    }
    write_results(options.results, "rerank", value, _table(value), _notes(value))


def _predictions(engine: Path, test: Examples) -> npt.NDArray[Any]:
    return np.column_stack([test.labels[:, 0], load_engine(engine).predict(test.inputs)])


def judge(test: Examples, said: Mapping[str, npt.NDArray[Any]]) -> dict[str, dict[str, Any]]:
    """Metrics by model, the first of which is the dense one, and intervals of the share of its that is kept.

    Intervals are paired, over groups of queries with a text in common.
    """
    found: dict[str, dict[str, Any]] = {name: {} for name in said}
    for metric in METRICS:
        kind = Ranked((), metric)
        answers = {name: kind.answers(each) for name, each in said.items()}
        scores = {name: kind.score_answers(each, test.labels) for name, each in answers.items()}
        dense = next(iter(said))
        known = intervals(
            kind,
            test.labels,
            list(answers.values()),
            dense=answers[dense],
            groups=row_groups(test.texts, kind.unit),
        )
        for (name, score), each in zip(scores.items(), known, strict=True):
            assert each.difference_ci is not None
            kept = [1 + end / scores[dense] for end in each.difference_ci]
            share = {"kept": score / scores[dense], "kept_ci": kept}
            found[name][metric] = {"score": score, "score_ci": each.metric_ci, **share}
    return found


def _table(value: dict[str, Any]) -> list[list[str]]:
    ratios = {Path(ratio["engine"]).name: ratio for ratio in value["bench"]["ratios"]}
    columns = [column for metric in METRICS for column in (f"{metric} x 100", "kept, %", "95 %")]
    table = [["engine", "keeps", "speed-up", "agreement", *columns]]
    for name, row in value["engines"].items():
        ratio = ratios.get(name)
        speed = "1" if ratio is None else "{:.2f} ({:.2f} to {:.2f})".format(ratio["speedup"], *ratio["ci"])
        cells = [name, row["signature"], speed, f"{row['agreement']:.4f}"]
        for metric in METRICS:
            ends = "{:.1f} to {:.1f}".format(*(100 * end for end in row[metric]["kept_ci"]))
            cells += [f"{100 * row[metric]['score']:.2f}", f"{100 * row[metric]['kept']:.1f}", ends]
        table.append(cells)
    return table


def _notes(value: dict[str, Any]) -> str:
    dense = value["dense"]
    return (
        f"A cross-encoder, fine-tuned for {dense['full_steps']:.0f} steps of 32 rows "
        f"({dense['seconds'] / 60:.0f} minutes), then searched without labels "
        f"({value['search_seconds'] / 60:.0f} minutes): its own scores teach, and points were chosen by "
        "agreement with its rankings (dense_ndcg@10). Profile: a list of 30 pairs of 64 tokens, one thread. "
        f"Judged once, on the {value['queries']} test queries of wikiqa that have a relevant passage and "
        "another, by the engines' scores in ONNX Runtime; ties count as the mean of their orders. In random "
        f"order: MRR@10 x 100 is {100 * value['prior'][MRR]:.2f}. Intervals are paired over queries."
    )


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    main()
